// Work of which only the newest matters: questions asked while a finger moves.
//
// One is under way, one waits; a newer one takes the place of the one that waits. So the service is asked no faster than it answers,
// and no answer is ever shown after a newer one. Work that holds up a newer one for long is given up.

export class Latest<Input, Output> {
  #waiting: { input: Input } | null = null;
  #running: AbortController | null = null;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly work: (input: Input, signal: AbortSignal) => Promise<Output>,
    private readonly done: (output: Output, input: Input) => void,
    private readonly failed: (error: unknown, input: Input) => void,
    private readonly patience_ms = 600,
  ) {}

  submit(input: Input): void {
    this.#waiting = { input };
    if (!this.#running) void this.#run();
    else this.#patience ??= setTimeout(() => this.#running?.abort(), this.patience_ms);
  }

  /** Forgets what is under way: its answer will not be shown. */
  drop(): void {
    this.#waiting = null;
    this.#running?.abort();
  }

  async #run(): Promise<void> {
    while (this.#waiting) {
      const { input } = this.#waiting;
      this.#waiting = null;
      const running = (this.#running = new AbortController());
      try {
        const output = await this.work(input, running.signal);
        if (!running.signal.aborted) this.done(output, input);
      } catch (error) {
        if (!running.signal.aborted) this.failed(error, input);
      }
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    this.#running = null;
  }
}

/** Calls soon after the first of many wishes, and no more often than once in `gap_ms`. */
export function seldom(gap_ms: number, call: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  return () => {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        last = Date.now();
        call();
      },
      Math.max(0, last + gap_ms - Date.now()),
    );
  };
}
