/** Takes the pictures of the README and the walkthrough: the embedded model at work. Usage: screenshot.mjs PATH_TO_mistral-lsp */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Editor } from './editor.mjs';
import { Program } from './program.mjs';
import { ServerLog } from './server-log.mjs';
import { until } from './until.mjs';

const MEDIA = fileURLToPath(new URL('../../../editors/vscode/media/', import.meta.url));

/** The menu fades in. */
const FADE_MS = 1_000;

const ADDRESS_BOOK = `"""Reads and writes the address book, one contact a line."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Contact:
    name: str
    email: str


def load(path: Path) -> list[Contact]:
    with path.open() as file:
        return [Contact(**json.loads(line)) for line in file]


def save(path: Path, contacts: list[Contact]) -> None:
    with path.open("w") as file:
        file.writelines(json.dumps(asdict(contact)) + "\\n" for contact in contacts)


def find(contacts: list[Contact], name: str) -> Contact | None:
`;

const program = new Program(process.argv[2], (folder) => [
    '--log-file', join(folder, 'server.log'), '--log-level', 'debug',
]);
try {
    await program.start({});
    program.changeSettings({
        'editor.fontSize': 15,
        'editor.stickyScroll.enabled': false,
        'workbench.colorTheme': 'Default Dark Modern',
    });
    const log = new ServerLog(join(program.folder, 'server.log'));
    const page = await program.openPage({ width: 960, height: 700 });
    await log.received('initialized', 0);
    const editor = new Editor(page, program, log);
    await editor.open('contacts.py', ADDRESS_BOOK);
    await editor.seesState('sparkle');
    await editor.press('Control+B');
    // Going to the line by number would scroll it to the middle.
    await editor.goTo(1, 1);
    for (const key of ['Control+End', 'ArrowUp', 'End', 'Enter']) {
        await editor.press(key);
    }
    await until('ghost text', 20_000, () => editor.ghost());
    console.log(await editor.ghost());
    copyFileSync(await editor.screenshot('ghost-text'), join(MEDIA, 'ghost-text.png'));
    await editor.statusBar().click();
    await page.locator('.quick-input-widget .monaco-list-row', { hasText: 'Explain' }).waitFor();
    await page.waitForTimeout(FADE_MS);
    copyFileSync(await editor.screenshot('menu'), join(MEDIA, 'menu.png'));
} finally {
    await program.stop();
}
