/** Queue runs jobs in order, at most `width` at once. A job that fails does not stop the others. */
export class Queue {
  private readonly waiting: (() => Promise<void>)[] = [];
  private running = 0;

  constructor(private readonly width: number) {}

  add(job: () => Promise<void>): void {
    this.waiting.push(job);
    this.next();
  }

  private next(): void {
    if (this.running >= this.width) return;
    const job = this.waiting.shift();
    if (!job) return;
    this.running++;
    void job().catch(() => undefined).finally(() => {
      this.running--;
      this.next();
    });
  }
}
