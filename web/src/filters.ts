// Examples of filters, made from what a collection's own items look like.

/** A property name as CQL2 Text wants it: bare where it is a plain word, else between quotation marks. */
export function propertyName(name: string): string {
  const reserved = /^(and|or|not|in|like|between|is|null|true|false)$/i;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !reserved.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

export function textValue(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

const MOST = 4;
const LONGEST = 40;

/** A few filters that match some of these items and not all, where there are such. */
export function filterExamples(samples: Record<string, unknown>[]): string[] {
  const names = [...new Set(samples.flatMap((sample) => Object.keys(sample)))].filter((name) => name.length <= LONGEST);
  const found: Example[] = [];
  for (const name of names) {
    const values = samples.map((sample) => sample[name]).filter((value) => value !== undefined && value !== null);
    const example = exampleOf(name, values);
    if (example) found.push(example);
  }
  // What compares numbers says most, and what looks at first letters least.
  const examples = found.sort((a, b) => a.rank - b.rank).map(({ text }) => text);
  const both = examples.length >= 2 ? [`${examples[0]} AND ${examples[1]}`] : [];
  return [...examples.slice(0, MOST - both.length), ...both];
}

interface Example {
  text: string;
  rank: number;
}

function exampleOf(name: string, values: unknown[]): Example | null {
  const numbers = values.filter((value): value is number => typeof value === "number").sort((a, b) => a - b);
  if (numbers.length > 0 && numbers.length === values.length) {
    const high = numbers[Math.floor(numbers.length * 0.75)] ?? 0;
    return { text: `${propertyName(name)} > ${high === 0 ? 0 : Number(high.toPrecision(1))}`, rank: 0 };
  }
  const texts = values.filter((value): value is string => typeof value === "string" && value.length > 0);
  if (texts.length === 0 || texts.length < values.length) return null;
  const often = new Map<string, number>();
  for (const text of texts) often.set(text, (often.get(text) ?? 0) + 1);
  const [commonest, times] = [...often].sort((a, b) => b[1] - a[1])[0] ?? ["", 0];
  if (times > 1 && times >= texts.length / 20 && commonest.length <= LONGEST) return { text: `${propertyName(name)} = ${textValue(commonest)}`, rank: 1 };
  const first = [...commonest][0] ?? "";
  return /^\p{L}$/u.test(first) ? { text: `${propertyName(name)} LIKE '${first}%'`, rank: 2 } : null;
}
