/** The connection to one server: its options, settings, and when to try again. */
import { homedir } from 'node:os';

import {
    type CancellationToken,
    CancellationTokenSource,
    type InlineCompletionItem,
    type LogOutputChannel,
    type Position,
    type TextDocument,
} from 'vscode';
import {
    CloseAction,
    type CloseHandlerResult,
    ErrorAction,
    type ErrorHandler,
    LanguageClient,
    type LanguageClientOptions,
    State,
} from 'vscode-languageclient/node';

import { Cursor } from './cursor';
import { SECTION, serverSettings } from './settings';

const DOCUMENTS = [{ scheme: 'file' }, { scheme: 'untitled' }, { scheme: 'vscode-notebook-cell' }];
const RESTARTS = 4;
const RESTARTS_WITHIN_MS = 3 * 60 * 1000;
const CANCEL_AFTER_MS = 20;
const ACCEPTED = `${SECTION}.didAccept`;

/** The connection to one server. What goes wrong goes to the log; what the user must act on goes to `onFailure`. */
export class Client extends LanguageClient {
    private readonly cursor = new Cursor(DOCUMENTS, (document, position) => {
        this.tell('mistralLsp/didMoveCursor', document, position);
    });

    constructor(
        command: string,
        args: string[],
        log: LogOutputChannel,
        private readonly onFailure: () => void,
    ) {
        const options: LanguageClientOptions = {
            documentSelector: DOCUMENTS,
            outputChannel: log,
            initializationOptions: serverSettings,
            initializationFailedHandler: () => false,
            synchronize: { configurationSection: SECTION },
            errorHandler: restartPolicy(() => this.state),
            middleware: {
                workspace: { configuration: ({ items }) => items.map(serverSettings) },
                provideInlineCompletionItems: async (document, position, context, token, next) => {
                    this.cursor.know(document, position);
                    const found = await next(document, position, context, cancelledLater(token));
                    return withAcceptance(Array.isArray(found) ? found : (found?.items ?? []));
                },
            },
        };
        // Windows looks for a command in the working folder first, so that must not be the workspace.
        super(SECTION, 'Mistral', { command, args, options: { cwd: homedir() } }, options);
        this.onDidChangeState(({ newState }) => {
            if (newState === State.Running) {
                this.cursor.forget();
            }
        });
    }

    /** The library would put every failed request on the screen, and a failed start twice and with its stack. */
    override error(message: string, data?: unknown, showNotification: boolean | 'force' = true): void {
        super.error(message, data, false);
        if (showNotification === 'force') {
            this.onFailure();
        }
    }

    /** Tells that so many characters of ghost text were taken. */
    accepted(length: number): void {
        if (this.isRunning()) {
            this.sendNotification('mistralLsp/didAccept', { acceptedLength: length }).catch((error: unknown) =>
                this.warn('mistralLsp/didAccept', error, false));
        }
    }

    /** Tells something about a place in a document, where there is a server to hear it. */
    tell(method: string, document: TextDocument, position: Position): void {
        if (this.isRunning()) {
            const place = this.code2ProtocolConverter.asTextDocumentPositionParams(document, position);
            this.sendNotification(method, place).catch((error: unknown) => this.warn(method, error, false));
        }
    }

    /** Ends the server politely where it listens. */
    async end(): Promise<void> {
        this.cursor.dispose();
        if (this.isRunning()) {
            await this.stop().catch((error: unknown) => this.warn('The server did not stop in time.', error, false));
        } else {
            this.serverProcess?.kill();
        }
    }
}

/** VS Code tells of an item that was taken by a command that the item names. */
function withAcceptance(items: InlineCompletionItem[]): InlineCompletionItem[] {
    for (const item of items) {
        const text = typeof item.insertText === 'string' ? item.insertText : item.insertText.value;
        item.command = { title: '', command: ACCEPTED, arguments: [[...text].length] };
    }
    return items;
}

/**
 * VS Code cancels a request just before it tells of the change that made it old. The server needs to see the change
 * first, since it goes on with an answer that is being typed.
 */
function cancelledLater(token: CancellationToken): CancellationToken {
    const source = new CancellationTokenSource();
    token.onCancellationRequested(() => setTimeout(() => source.cancel(), CANCEL_AFTER_MS));
    return source.token;
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
