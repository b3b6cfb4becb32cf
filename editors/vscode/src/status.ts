import { type Disposable, StatusBarAlignment, ThemeColor, window } from 'vscode';

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

/** The server's state in the status bar; a click shows all there is to know. */
export class StatusItem implements Disposable {
    private readonly item = window.createStatusBarItem('mistralLsp.status', StatusBarAlignment.Right, 100);
    private status: Status = { state: 'off', message: '', engine: null, model: null };

    constructor() {
        this.item.name = 'Mistral';
        this.item.command = 'mistralLsp.showStatus';
        this.item.show();
    }

    get latest(): Status {
        return this.status;
    }

    show(status: Status): void {
        this.status = status;
        this.item.text = `$(${ICONS[status.state]}) Mistral`;
        this.item.tooltip = [status.message, status.engine, status.model].filter(Boolean).join('\n');
        this.item.backgroundColor =
            status.state === 'failed' ? new ThemeColor('statusBarItem.warningBackground') : undefined;
    }

    dispose(): void {
        this.item.dispose();
    }
}
