/** What the user can ask for by name, and the menu that a click on the status item opens. */
import {
    commands,
    type Disposable,
    type LogOutputChannel,
    type QuickPickItem,
    QuickPickItemKind,
    ViewColumn,
    window,
} from 'vscode';

import { explanationPage } from './explanation';
import { chooseModel } from './models';
import type { Pages } from './pages';
import type { Server } from './server';
import { isLanguageOn, SECTION, toggleEnabled, toggleLanguage } from './settings';
import type { StatusItem } from './status';

const WALKTHROUGH = 'mistral-lsp.mistral-lsp#start';

interface Entry extends QuickPickItem {
    command?: string;
}

export class Commands {
    constructor(
        private readonly server: Server,
        private readonly statusItem: StatusItem,
        private readonly pages: Pages,
        private readonly log: LogOutputChannel,
    ) {}

    register(): Disposable[] {
        const actions: Record<string, (length: number) => unknown> = {
            showMenu: () => this.showMenu(),
            toggleEnabled,
            toggleLanguage: () => this.toggleLanguage(),
            explainSuggestion: () => this.explain(),
            showStatistics: () => this.showStatistics(),
            chooseModel: () => chooseModel(this.server, this.log),
            reloadModel: () => this.server.reload(),
            restart: () => this.server.restart(),
            installServer: () => this.server.install(),
            showLog: () => this.log.show(),
            getStarted: () => commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH, false),
            dismiss: () => this.server.dismiss(),
            didAccept: (length) => this.server.accepted(length),
        };
        return Object.entries(actions).map(([name, action]) =>
            commands.registerCommand(`${SECTION}.${name}`, action));
    }

    private async showMenu(): Promise<void> {
        const { state, message } = this.statusItem.latest;
        const picked = await window.showQuickPick(menu(state), { title: `Mistral: ${message || state}` });
        // The click left the keys with the status bar, and who picks a thing goes on typing.
        await commands.executeCommand('workbench.action.focusActiveEditorGroup');
        if (picked?.command) {
            await commands.executeCommand(picked.command);
        }
    }

    private async toggleLanguage(): Promise<void> {
        const language = window.activeTextEditor?.document.languageId;
        if (language) {
            await toggleLanguage(language);
        } else {
            void window.showInformationMessage('Mistral: open a file first; its language is then turned on or off.');
        }
    }

    private async explain(): Promise<void> {
        const editor = window.activeTextEditor;
        const found = editor && (await this.server.explain(editor.document, editor.selection.active));
        if (found) {
            await this.pages.show('Mistral explanation.txt', explanationPage(found), ViewColumn.Beside);
        } else {
            void window.showInformationMessage('Mistral: there is nothing to explain here.');
        }
    }

    private async showStatistics(): Promise<void> {
        await this.pages.show('Mistral status.json', JSON.stringify(await this.server.status(), null, 2));
    }
}

/** What helps in this state comes first. */
function menu(state: string): Entry[] {
    const language = window.activeTextEditor?.document.languageId;
    const isOff = state === 'off';
    const ways: Entry[] = [
        { label: '$(debug-restart) Restart Server', command: 'mistralLsp.restart' },
        { label: '$(cloud-download) Install Server', command: 'mistralLsp.installServer' },
        { label: '$(output) Open Log', command: 'mistralLsp.showLog' },
    ];
    const switches: Entry[] = [
        {
            label: isOff ? '$(play) Turn Ghost Text On' : '$(debug-pause) Turn Ghost Text Off',
            command: 'mistralLsp.toggleEnabled',
        },
    ];
    if (language) {
        const onOrOff = isLanguageOn(language) ? 'Off' : 'On';
        switches.push({ label: `$(code) Turn ${onOrOff} for ${language}`, command: 'mistralLsp.toggleLanguage' });
    }
    const others: Entry[] = [
        { label: '$(question) Explain This Suggestion', command: 'mistralLsp.explainSuggestion' },
        { label: '$(graph) Show Statistics', command: 'mistralLsp.showStatistics' },
        { label: '$(symbol-misc) Choose Model…', command: 'mistralLsp.chooseModel' },
        { label: '$(refresh) Reload Model', command: 'mistralLsp.reloadModel' },
    ];
    const line = { label: '', kind: QuickPickItemKind.Separator };
    return state === 'failed' ? [...ways, line, ...switches, line, ...others] : [...switches, line, ...others, line, ...ways];
}
