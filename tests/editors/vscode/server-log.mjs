/** The log of the server under test, one line for each message that it received. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { PATIENCE_MS, until } from './until.mjs';

export class ServerLog {
    constructor(path) {
        this.path = path;
    }

    /** A place in the log, to tell later lines from earlier ones. */
    mark() {
        return this.#text().length;
    }

    /** The methods that were received after the mark, in their order. */
    methods(mark) {
        return [...this.#text().slice(mark).matchAll(/ received (\S+)/g)].map(([, method]) => method);
    }

    /** How often the method was received after the mark. */
    count(method, mark) {
        return this.methods(mark).filter((received) => received === method).length;
    }

    async received(method, mark) {
        await until(`the server receives ${method}`, PATIENCE_MS, () => this.count(method, mark) > 0);
    }

    /** The server that writes this log, where there is one window. */
    serverProcess() {
        return this.serverProcesses()[0];
    }

    /** Those of all windows: of the processes that name the log, the ones that are no child of another. */
    serverProcesses() {
        const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && this.#isNamedBy(name));
        return processes.filter((pid) => !processes.includes(parentOf(pid))).map(Number);
    }

    #isNamedBy(pid) {
        return read(`/proc/${pid}/cmdline`).split('\0').includes(this.path);
    }

    #text() {
        return existsSync(this.path) ? readFileSync(this.path, 'utf8') : '';
    }
}

function parentOf(pid) {
    // The name before it, in brackets, may hold anything, even a bracket.
    return read(`/proc/${pid}/stat`).split(') ').at(-1).split(' ')[1];
}

/** Empty for a process that has gone meanwhile. */
function read(path) {
    try {
        return readFileSync(path, 'utf8');
    } catch {
        return '';
    }
}
