import { setTimeout as pause } from 'node:timers/promises';

/** What a busy machine may need for what takes a moment. */
export const PATIENCE_MS = 60_000;

/** Waits for a condition that nothing announces, and says what was waited for when it does not come. */
export async function until(what, milliseconds, condition) {
    const deadline = performance.now() + milliseconds;
    for (;;) {
        const value = await condition();
        if (value) {
            return value;
        }
        if (performance.now() > deadline) {
            throw new Error(`waited ${milliseconds} ms in vain: ${what}`);
        }
        await pause(25);
    }
}
