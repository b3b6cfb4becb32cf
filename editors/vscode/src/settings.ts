/** Which settings are the editor's and which the server's, and the changes that commands make to them. */
import { ConfigurationTarget, workspace } from 'vscode';

export const SECTION = 'mistralLsp';

/** The settings by which the editor starts the server; a change of one needs a new process. */
export const LAUNCH_SETTINGS = ['path', 'arguments'] as const;

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

/** All settings but those three: how it was started is no business of the server. */
export function serverSettings(): unknown {
    const given = workspace.getConfiguration().get<Record<string, unknown>>(SECTION, {});
    const { path: _, arguments: __, package: ___, ...settings } = given;
    return settings;
}

export async function toggleEnabled(): Promise<void> {
    const settings = workspace.getConfiguration(SECTION);
    await settings.update('enabled', !settings.get('enabled'), ConfigurationTarget.Global);
}

/** As the server reads it: the language itself, else what holds for all others. */
export function isLanguageOn(language: string): boolean {
    const languages = workspace.getConfiguration(SECTION).get<Record<string, boolean>>('languages', {});
    return languages[language] ?? languages['*'] ?? true;
}

export async function toggleLanguage(language: string): Promise<void> {
    const settings = workspace.getConfiguration(SECTION);
    const languages = settings.get<Record<string, boolean>>('languages', {});
    const changed = { ...languages, [language]: !isLanguageOn(language) };
    await settings.update('languages', changed, ConfigurationTarget.Global);
}

export async function useModel(nameOrPath: string): Promise<void> {
    await workspace.getConfiguration(SECTION).update('model', nameOrPath, ConfigurationTarget.Global);
}
