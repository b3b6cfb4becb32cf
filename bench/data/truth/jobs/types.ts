/** What a job is, and what can become of it. */

export type JobId = string;

export type JobState = "waiting" | "running" | "done" | "failed" | "cancelled";

export interface Job<Payload> {
  readonly id: JobId;
  readonly kind: string;
  readonly payload: Payload;
  readonly priority: number;
  readonly createdAt: number;
  readonly attempt: number;
}

export interface JobRecord<Payload> {
  readonly job: Job<Payload>;
  readonly state: JobState;
  readonly notBefore: number;
  readonly lastError?: string;
}

export type Outcome =
  | { readonly status: "done"; readonly durationMs: number }
  | { readonly status: "failed"; readonly error: Error; readonly retryInMs?: number }
  | { readonly status: "cancelled" };

export interface Clock {
  now(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export class JobError extends Error {
  constructor(
    message: string,
    readonly retryable: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "JobError";
  }
}

export function isTerminal(state: JobState): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

export function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
