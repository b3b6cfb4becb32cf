/** The server's state in the status bar. */
import { commands, Disposable, StatusBarAlignment, ThemeColor, window, workspace } from 'vscode';

import { isLanguageOn } from './settings';

/** The parameters of the notification `mistralLsp/status`. */
export interface Status {
    state: 'starting' | 'loading' | 'ready' | 'failed' | 'off';
    message: string;
    engine: string | null;
    model: string | null;
}

const ICONS: Record<Status['state'], string> = {
    starting: 'loading~spin',
    loading: 'loading~spin',
    ready: 'sparkle',
    failed: 'warning',
    off: 'circle-slash',
};

/** Shown all the time; a click opens what can be done about it. */
export class StatusItem implements Disposable {
    private readonly item = window.createStatusBarItem('mistralLsp.status', StatusBarAlignment.Right, 100);
    private readonly listeners = Disposable.from(
        window.onDidChangeActiveTextEditor(() => this.draw()),
        workspace.onDidChangeConfiguration(() => this.draw()),
    );
    private status: Status = { state: 'off', message: '', engine: null, model: null };

    constructor() {
        this.item.name = 'Mistral';
        this.item.command = 'mistralLsp.showMenu';
        this.item.show();
    }

    get latest(): Status {
        return this.status;
    }

    show(status: Status): void {
        this.status = status;
        this.draw();
        void commands.executeCommand('setContext', 'mistralLsp.isReady', status.state === 'ready');
    }

    dispose(): void {
        this.listeners.dispose();
        this.item.dispose();
    }

    private draw(): void {
        const { state, message, engine, model } = this.status;
        const language = window.activeTextEditor?.document.languageId;
        const isPaused = state === 'ready' && language !== undefined && !isLanguageOn(language);
        const icon = ICONS[isPaused ? 'off' : state];
        const pause = isPaused && `Switched off for ${language}.`;
        this.item.text = `$(${icon}) Mistral`;
        this.item.tooltip = [pause, message, engine, model].filter(Boolean).join('\n');
        this.item.accessibilityInformation = { label: ['Mistral', pause, message, engine, model].filter(Boolean).join(', ') };
        this.item.backgroundColor = state === 'failed' ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    }
}
