import { ConfigurationTarget, workspace } from 'vscode';

export const SECTION = 'mistralLsp';

/** The settings by which the editor starts the server; a change of one needs a new process. */
export const LAUNCH_SETTINGS = ['path', 'arguments'] as const;

export function launchCommand(): { command: string; args: string[] } {
    const settings = workspace.getConfiguration(SECTION);
    return { command: settings.get('path', 'mistral-lsp'), args: settings.get('arguments', []) };
}

/** All settings but those two: how it was started is no business of the server. */
export function serverSettings(): unknown {
    const { path, arguments: _, ...settings } = workspace.getConfiguration().get<Record<string, unknown>>(SECTION, {});
    return settings;
}

export async function toggleEnabled(): Promise<void> {
    const settings = workspace.getConfiguration(SECTION);
    await settings.update('enabled', !settings.get('enabled'), ConfigurationTarget.Global);
}
