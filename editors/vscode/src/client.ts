import { homedir } from 'node:os';

import type { LogOutputChannel } from 'vscode';
import {
    CloseAction,
    type CloseHandlerResult,
    ErrorAction,
    type ErrorHandler,
    LanguageClient,
    type LanguageClientOptions,
    State,
} from 'vscode-languageclient/node';

import { launchCommand, SECTION, serverSettings } from './settings';

const RESTARTS = 4;
const RESTARTS_WITHIN_MS = 3 * 60 * 1000;

/** The connection to one server. What goes wrong goes to the log; what the user must act on goes to `onFailure`. */
export class Client extends LanguageClient {
    constructor(
        log: LogOutputChannel,
        private readonly onFailure: () => void,
    ) {
        const options: LanguageClientOptions = {
            documentSelector: [{ scheme: 'file' }, { scheme: 'untitled' }, { scheme: 'vscode-notebook-cell' }],
            outputChannel: log,
            initializationOptions: serverSettings,
            initializationFailedHandler: () => false,
            synchronize: { configurationSection: SECTION },
            errorHandler: restartPolicy(() => this.state),
        };
        // Windows looks for a command in the working folder first, so that must not be the workspace.
        super(SECTION, 'Mistral', { ...launchCommand(), options: { cwd: homedir() } }, options);
    }

    /** The library would put every failed request on the screen, and a failed start twice and with its stack. */
    override error(message: string, data?: unknown, showNotification: boolean | 'force' = true): void {
        super.error(message, data, false);
        if (showNotification === 'force') {
            this.onFailure();
        }
    }

    /** Ends the server politely where it listens. */
    async end(): Promise<void> {
        if (this.isRunning()) {
            await this.stop().catch((error: unknown) => this.warn('The server did not stop in time.', error, false));
        } else {
            this.serverProcess?.kill();
        }
    }
}

/** A server that dies is started again, unless it never came up or dies again and again. */
function restartPolicy(state: () => State): ErrorHandler {
    let deaths: number[] = [];
    return {
        // A pipe that breaks is followed by its closing, which decides.
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: (): CloseHandlerResult => {
            const now = Date.now();
            deaths = [...deaths.filter((death) => now - death < RESTARTS_WITHIN_MS), now];
            const hopeless = state() === State.Starting || deaths.length > RESTARTS;
            return { action: hopeless ? CloseAction.DoNotRestart : CloseAction.Restart };
        },
    };
}
