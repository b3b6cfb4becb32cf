/** The language server over its lives: one client at a time, and one message when it cannot be helped. */
import { commands, type LogOutputChannel, type Position, type TextDocument, window } from 'vscode';
import { ExecuteCommandRequest, State } from 'vscode-languageclient/node';

import { Client } from './client';
import type { Explanation } from './explanation';
import { findServer } from './finder';
import { installServer } from './install';
import type { Offer } from './models';
import { launchArguments } from './settings';
import type { Status, StatusItem } from './status';

const MISSING =
    'Mistral needs its server, a Python program that runs the model on this machine. ' +
    'It can have an environment of its own, 320 MB with the model; nothing else on the machine is changed.';

export class Server {
    private client: Client | undefined;
    /** Counts the starts, so that one that was overtaken by another can tell. */
    private starts = 0;

    constructor(
        private readonly log: LogOutputChannel,
        private readonly statusItem: StatusItem,
        private readonly environment: string,
    ) {}

    /** Also the way to start: a client that failed to start can never be started again, a new one can. */
    async restart(): Promise<void> {
        const start = ++this.starts;
        const old = this.client;
        this.client = undefined;
        const [command] = await Promise.all([this.command(), old?.end()]);
        // Another restart may have come while the old server was leaving.
        if (this.starts !== start) {
            return;
        }
        if (command) {
            this.client = this.connect(command);
            // Whatever goes wrong has been reported by then.
            await this.client.start().catch(() => {});
        } else {
            void this.offerInstallation();
        }
    }

    async stop(): Promise<void> {
        this.starts += 1;
        const client = this.client;
        this.client = undefined;
        await client?.end();
    }

    /** The program that would be started now. */
    command(): Promise<string | undefined> {
        return findServer(this.environment);
    }

    /** Installs the server into our own environment, and starts it from there. */
    async install(): Promise<void> {
        this.statusItem.show({ state: 'starting', message: 'The server is installed.', engine: null, model: null });
        // A running server would lose its files under its feet.
        await this.stop();
        const installed = await installServer(this.environment, this.log);
        if (installed || (await this.command())) {
            await this.restart();
        } else {
            this.showMissing();
        }
    }

    /** What the server says of itself, or what is known of it when it does not run. */
    async status(): Promise<unknown> {
        return (await this.execute('mistralLsp.status')) ?? this.statusItem.latest;
    }

    /** The models that the user can choose from, unless no server runs. */
    async models(): Promise<Offer | undefined> {
        return (await this.execute('mistralLsp.models')) as Offer | undefined;
    }

    /** Loads the model anew where the server lives, and starts it where not. */
    async reload(): Promise<void> {
        if (!(await this.execute('mistralLsp.reload'))) {
            await this.restart();
        }
    }

    /** What the model is told at a place. */
    async explain(document: TextDocument, position: Position): Promise<Explanation | undefined> {
        const place = this.client?.code2ProtocolConverter.asTextDocumentPositionParams(document, position);
        return (await this.execute('mistralLsp.explain', place)) as Explanation | undefined;
    }

    /** So many characters of ghost text were taken. */
    accepted(length: number): void {
        this.client?.accepted(length);
    }

    /** Takes ghost text away, and lets the server know that it was not wanted here. */
    async dismiss(): Promise<void> {
        const editor = window.activeTextEditor;
        if (editor) {
            this.client?.tell('mistralLsp/didReject', editor.document, editor.selection.active);
        }
        await commands.executeCommand('editor.action.inlineSuggest.hide');
    }

    private async execute(command: string, ...given: unknown[]): Promise<unknown> {
        return this.client?.isRunning()
            ? this.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: given })
            : undefined;
    }

    private connect(command: string): Client {
        let ran = false;
        let failed = false;
        const client = new Client(command, launchArguments(), this.log, () => {
            // One failure may show in several ways, and a client that was replaced is of no interest.
            if (!failed && this.client === client) {
                failed = true;
                void this.reportFailure(command, ran);
            }
        });
        client.onNotification('mistralLsp/status', (status: Status) => this.statusItem.show(status));
        client.onDidChangeState(({ newState }) => {
            ran ||= newState === State.Running;
            if (newState === State.Starting) {
                this.statusItem.show({ state: 'starting', message: 'The server starts.', engine: null, model: null });
            }
        });
        return client;
    }

    private async offerInstallation(): Promise<void> {
        this.showMissing();
        const choice = await window.showInformationMessage(MISSING, 'Install', 'Choose Its Path');
        if (choice === 'Install') {
            await this.install();
        } else if (choice) {
            await commands.executeCommand('workbench.action.openSettings', 'mistralLsp.path');
        }
    }

    private showMissing(): void {
        this.statusItem.show({ state: 'failed', message: 'The server is not installed.', engine: null, model: null });
    }

    private async reportFailure(command: string, ran: boolean): Promise<void> {
        const message = ran
            ? 'The Mistral server keeps stopping and now stays off. The log says why.'
            : `The Mistral server "${command}" does not start. ` +
              'Let it be installed anew, or set mistralLsp.path to where it is.';
        this.statusItem.show({ state: 'failed', message, engine: null, model: null });
        const choice = await window.showErrorMessage(message, 'Try Again', 'Open Settings', 'Show Log');
        if (choice === 'Try Again') {
            await this.restart();
        } else if (choice === 'Open Settings') {
            await commands.executeCommand('workbench.action.openSettings', 'mistralLsp.path');
        } else if (choice === 'Show Log') {
            this.log.show();
        }
    }
}
