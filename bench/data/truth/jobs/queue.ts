import { isTerminal, type Clock, type Job, type JobId, type JobRecord, type JobState } from "./types";

export interface AddOptions {
  readonly priority?: number;
  readonly delayMs?: number;
}

type Listener<Payload> = (record: JobRecord<Payload>) => void;

/** Jobs in memory: the most urgent first, and among equals the oldest. */
export class JobQueue<Payload> {
  private readonly records = new Map<JobId, JobRecord<Payload>>();
  private readonly listeners = new Set<Listener<Payload>>();
  private nextNumber = 1;

  constructor(
    private readonly clock: Clock,
    private readonly capacity = 10_000,
  ) {}

  get size(): number {
    return this.records.size;
  }

  add(kind: string, payload: Payload, options: AddOptions = {}): Job<Payload> {
    if (this.records.size >= this.capacity) {
      throw new RangeError(`the queue is full (${this.capacity} jobs)`);
    }
    const now = this.clock.now();
    const job: Job<Payload> = {
      id: `job-${this.nextNumber++}`,
      kind,
      payload,
      priority: options.priority ?? 0,
      createdAt: now,
      attempt: 0,
    };
    this.store({ job, state: "waiting", notBefore: now + (options.delayMs ?? 0) });
    return job;
  }

  /** Takes the next job that is due, and marks it as running. */
  take(): Job<Payload> | undefined {
    const now = this.clock.now();
    let best: JobRecord<Payload> | undefined;
    for (const record of this.records.values()) {
      if (record.state !== "waiting" || record.notBefore > now) {
        continue;
      }
      if (best === undefined || isMoreUrgent(record.job, best.job)) {
        best = record;
      }
    }
    if (best === undefined) {
      return undefined;
    }
    const job = { ...best.job, attempt: best.job.attempt + 1 };
    this.store({ ...best, job, state: "running" });
    return job;
  }

  finish(id: JobId): void {
    this.change(id, (record) => ({ ...record, state: "done" }));
  }

  fail(id: JobId, error: Error, retryInMs?: number): void {
    this.change(id, (record) => {
      if (retryInMs === undefined) {
        return { ...record, state: "failed", lastError: error.message };
      }
      return {
        ...record,
        state: "waiting",
        notBefore: this.clock.now() + retryInMs,
        lastError: error.message,
      };
    });
  }

  cancel(id: JobId): boolean {
    const record = this.records.get(id);
    if (record === undefined || isTerminal(record.state)) {
      return false;
    }
    this.store({ ...record, state: "cancelled" });
    return true;
  }

  get(id: JobId): JobRecord<Payload> | undefined {
    return this.records.get(id);
  }

  /** When the next waiting job is due, or undefined when none waits. */
  nextDue(): number | undefined {
    const due = [...this.records.values()]
      .filter((record) => record.state === "waiting")
      .map((record) => record.notBefore);
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  countByState(): Record<JobState, number> {
    const counts: Record<JobState, number> = {
      waiting: 0,
      running: 0,
      done: 0,
      failed: 0,
      cancelled: 0,
    };
    for (const record of this.records.values()) {
      counts[record.state] += 1;
    }
    return counts;
  }

  /** Forgets jobs that ended before `moment`, and says how many they were. */
  prune(moment: number): number {
    let removed = 0;
    for (const [id, record] of this.records) {
      if (isTerminal(record.state) && record.job.createdAt < moment) {
        this.records.delete(id);
        removed += 1;
      }
    }
    return removed;
  }

  /** Calls `listener` at every change; the function that is returned ends that. */
  subscribe(listener: Listener<Payload>): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  private change(
    id: JobId,
    update: (record: JobRecord<Payload>) => JobRecord<Payload>,
  ): void {
    const record = this.records.get(id);
    if (record === undefined) {
      throw new Error(`there is no job ${id}`);
    }
    if (record.state !== "running") {
      throw new Error(`job ${id} is ${record.state}, not running`);
    }
    this.store(update(record));
  }

  private store(record: JobRecord<Payload>): void {
    this.records.set(record.job.id, record);
    for (const listener of this.listeners) {
      listener(record);
    }
  }
}

function isMoreUrgent<Payload>(one: Job<Payload>, other: Job<Payload>): boolean {
  if (one.priority !== other.priority) {
    return one.priority > other.priority;
  }
  return one.createdAt < other.createdAt;
}
