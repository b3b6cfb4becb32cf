/** Which settings are the editor's and which the server's, and the changes that commands make to them. */
import { ConfigurationTarget, workspace } from 'vscode';

export const SECTION = 'mistralLsp';

/** The settings by which the editor starts the server; a change of one needs a new process. */
export const LAUNCH_SETTINGS = ['path', 'arguments'] as const;

/** Settings that are no business of the server. */
const OWN_SETTINGS: readonly string[] = [...LAUNCH_SETTINGS, 'package'];

/** Where the user says that the server is; empty: nowhere in particular. */
export function givenPath(): string {
    return workspace.getConfiguration(SECTION).get('path', '');
}

export function launchArguments(): string[] {
    return workspace.getConfiguration(SECTION).get('arguments', []);
}

/** What pip is told to install: a requirement, a wheel or a folder. */
export function packageToInstall(): string {
    return workspace.getConfiguration(SECTION).get('package', 'mistral-lsp');
}

/** Settings that the user has set once. Those that they take back are told on, since absent would mean unchanged. */
const told = new Set<string>();

/** What the user has set for the server. A default of ours would hide what their own file of settings says. */
export function serverSettings(): Record<string, unknown> {
    const settings = workspace.getConfiguration(SECTION);
    const names = Object.keys(workspace.getConfiguration().get<Record<string, unknown>>(SECTION, {}));
    for (const name of names.filter((name) => !OWN_SETTINGS.includes(name) && isSet(settings.inspect(name)))) {
        told.add(name);
    }
    return Object.fromEntries([...told].map((name) => [name, settings.get(name)]));
}

function isSet(found: Record<string, unknown> | undefined): boolean {
    const { globalValue, workspaceValue, workspaceFolderValue } = found ?? {};
    return [globalValue, workspaceValue, workspaceFolderValue].some((value) => value !== undefined);
}

export async function toggleEnabled(): Promise<void> {
    const settings = workspace.getConfiguration(SECTION);
    await settings.update('enabled', !settings.get('enabled'), ConfigurationTarget.Global);
}

/** What the server calls languages for which VS Code has another word, or several. */
const SERVER_NAMES: Readonly<Record<string, string>> = {
    dockercompose: 'yaml',
    javascriptreact: 'javascript',
    jsonc: 'json',
    jsonl: 'json',
    shellscript: 'bash',
    typescriptreact: 'tsx',
};

/** As the server reads it: VS Code's word for the language, else the server's, else what holds for all others. */
export function isLanguageOn(language: string): boolean {
    const languages = workspace.getConfiguration(SECTION).get<Record<string, boolean>>('languages', {});
    return languages[language] ?? languages[SERVER_NAMES[language] ?? language] ?? languages['*'] ?? true;
}

export async function toggleLanguage(language: string): Promise<void> {
    const settings = workspace.getConfiguration(SECTION);
    const languages = settings.get<Record<string, boolean>>('languages', {});
    const changed = { ...languages, [language]: !isLanguageOn(language) };
    await settings.update('languages', changed, ConfigurationTarget.Global);
}

/** Names the model to use: one of this machine, or one of the model server. */
export async function useModel(setting: 'model' | 'httpModel', name: string): Promise<void> {
    await workspace.getConfiguration(SECTION).update(setting, name, ConfigurationTarget.Global);
}
