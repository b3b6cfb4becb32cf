/** Tells when an answer is waited for, longer than for a moment: no sign flickers with every key. */

const MOMENT_MS = 300;

export class Busy {
    private waiting = 0;
    private timer: NodeJS.Timeout | undefined;

    constructor(private readonly onChange: (isBusy: boolean) => void) {}

    /** Several may be waited for at once, as VS Code asks again before an old request has ended. */
    async during<T>(work: Thenable<T>): Promise<T> {
        this.waiting += 1;
        this.timer ??= setTimeout(() => this.onChange(true), MOMENT_MS);
        try {
            return await work;
        } finally {
            this.waiting -= 1;
            if (this.waiting === 0) {
                clearTimeout(this.timer);
                this.timer = undefined;
                this.onChange(false);
            }
        }
    }
}
