import { DEFAULT_BACKOFF, nextDelay, type BackoffOptions } from "./backoff";
import type { JobQueue } from "./queue";
import { JobError, toError, type Clock, type Job, type Outcome } from "./types";

export type Handler<Payload> = (job: Job<Payload>, signal: AbortSignal) => Promise<void>;

export interface WorkerOptions {
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly idleMs: number;
  readonly backoff: BackoffOptions;
}

const DEFAULTS: WorkerOptions = {
  concurrency: 4,
  timeoutMs: 60_000,
  idleMs: 1_000,
  backoff: DEFAULT_BACKOFF,
};

/** Runs the jobs of a queue, a few at a time, until it is stopped. */
export class Worker<Payload> {
  private readonly handlers = new Map<string, Handler<Payload>>();
  private readonly running = new Map<string, AbortController>();
  private readonly options: WorkerOptions;
  private stopped = false;

  constructor(
    private readonly queue: JobQueue<Payload>,
    private readonly clock: Clock,
    options: Partial<WorkerOptions> = {},
  ) {
    this.options = { ...DEFAULTS, ...options };
  }

  on(kind: string, handler: Handler<Payload>): this {
    if (this.handlers.has(kind)) {
      throw new Error(`there is a handler for ${kind} already`);
    }
    this.handlers.set(kind, handler);
    return this;
  }

  async run(): Promise<void> {
    const lanes = Array.from({ length: this.options.concurrency }, () => this.runLane());
    await Promise.all(lanes);
  }

  stop(): void {
    this.stopped = true;
    for (const controller of this.running.values()) {
      controller.abort();
    }
  }

  private async runLane(): Promise<void> {
    while (!this.stopped) {
      const job = this.queue.take();
      if (job === undefined) {
        await this.clock.sleep(this.idleTime());
        continue;
      }
      const outcome = await this.runJob(job);
      this.report(job, outcome);
    }
  }

  private async runJob(job: Job<Payload>): Promise<Outcome> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.options.timeoutMs);
    this.running.set(job.id, controller);
    const started = this.clock.now();
    try {
      const handler = this.handlers.get(job.kind);
      if (handler === undefined) {
        throw new JobError(`nothing handles ${job.kind}`, false);
      }
      await handler(job, controller.signal);
      return { status: "done", durationMs: this.clock.now() - started };
    } catch (reason) {
      if (this.stopped) {
        return { status: "cancelled" };
      }
      const error = toError(reason);
      return {
        status: "failed",
        error,
        retryInMs: nextDelay(error, job.attempt, this.options.backoff),
      };
    } finally {
      clearTimeout(timer);
      this.running.delete(job.id);
    }
  }

  private report(job: Job<Payload>, outcome: Outcome): void {
    switch (outcome.status) {
      case "done":
        this.queue.finish(job.id);
        break;
      case "failed":
        this.queue.fail(job.id, outcome.error, outcome.retryInMs);
        break;
      case "cancelled":
        this.queue.cancel(job.id);
        break;
    }
  }

  private idleTime(): number {
    const due = this.queue.nextDue();
    if (due === undefined) {
      return this.options.idleMs;
    }
    return Math.max(1, Math.min(due - this.clock.now(), this.options.idleMs));
  }
}
