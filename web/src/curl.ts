// The question as a command for a shell.

import { asked, type Question } from "./question.ts";

/** Between apostrophes a shell takes everything as it is, but an apostrophe. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The key itself never stands in it: commands are copied into chats. */
export function curlOf(question: Question, root: string, needsKey: boolean): string {
  const { path, body } = asked(question);
  const words = ["curl", shellQuoted(new URL(path, root).href)];
  if (needsKey) words.push(`-H "authorization: Bearer $NIGH_KEY"`);
  if (body) words.push("-H 'content-type: application/json'", "-d", shellQuoted(JSON.stringify(body)));
  return words.join(" ");
}
