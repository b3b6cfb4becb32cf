/** What a person does at the editor, and what is to be seen there. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PATIENCE_MS, until } from './until.mjs';

const KEY_DELAY_MS = 60;

export class Editor {
    constructor(page, program, log) {
        this.page = page;
        this.program = program;
        this.log = log;
    }

    /** Opens a new file with this text. */
    async open(name, text) {
        const mark = this.log.mark();
        this.file = join(this.program.workspace, name);
        writeFileSync(this.file, text);
        // A second click makes the tab stay.
        await this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`).dblclick();
        await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
        // A mouse left on the list would sooner or later raise a tooltip over the next file to open.
        await this.page.mouse.move(0, 0);
        const kind = name.endsWith('.ipynb') ? 'notebookDocument' : 'textDocument';
        await this.log.received(`${kind}/didOpen`, mark);
    }

    /** Puts the cursor at a line and column, both from 1. */
    async goTo(line, column) {
        await this.pick('Control+G', `:${line}:${column}`);
        await this.page.locator('.monaco-editor.focused').waitFor();
    }

    /** Runs a command by its title. */
    async run(title) {
        await this.pick('F1', `>${title}`);
    }

    /** Takes an entry of the menu that a click on the status bar opens. */
    async choose(entry) {
        await this.statusBar().click();
        await this.page.locator('.quick-input-widget .monaco-list-row', { hasText: entry }).click();
    }

    /** Types into the box that a key opens, and takes its first entry once that is the one meant. */
    async pick(key, text) {
        const box = this.page.locator('.quick-input-widget');
        await this.press(key);
        await box.locator('input.input').first().fill(text);
        const sought = text.startsWith('>') ? text.slice(1) : 'Go to line';
        await box.locator('.monaco-list-row').first().filter({ hasText: sought }).waitFor({ timeout: PATIENCE_MS });
        await this.press('Enter');
        await box.waitFor({ state: 'hidden' });
    }

    async press(key) {
        await this.page.keyboard.press(key);
    }

    async type(text) {
        await this.page.keyboard.type(text, { delay: KEY_DELAY_MS });
    }

    /** The ghost text now on the screen, its lines joined by line feeds; empty when there is none. */
    ghost() {
        return this.page.evaluate(readGhost);
    }

    async seesGhost(expected) {
        let last = '';
        await until(`ghost text ${JSON.stringify(expected)}`, PATIENCE_MS, async () => {
            last = await this.ghost();
            return last === expected;
        }).catch((error) => {
            throw new Error(`${error.message}; last seen ${JSON.stringify(last)}`);
        });
    }

    /** That nothing comes can only be waited for. */
    async seesNoGhostFor(milliseconds) {
        await this.page.waitForTimeout(milliseconds);
        assert.equal(await this.ghost(), '');
    }

    /** From now until the returned function is called: the frames in which no line on the screen has this text. */
    async watchLine(text) {
        const watch = await this.page.evaluateHandle(watchFrames, text);
        return () => watch.evaluate((running) => running.stop());
    }

    /** Saves, and compares the file: the one place where every character of the document shows. */
    async holds(expected) {
        await this.press('Control+S');
        const found = () => readFileSync(this.file, 'utf8');
        await until('the file to be saved', PATIENCE_MS, () => found() === expected).catch(() => {
            throw new Error(`expected the document ${JSON.stringify(expected)}, found ${JSON.stringify(found())}`);
        });
    }

    async seesMessage(text) {
        const toast = this.page.locator('.notification-toast').filter({ hasText: text });
        await toast.first().waitFor({ timeout: PATIENCE_MS });
    }

    statusBar() {
        return this.page.locator('.statusbar-item', { hasText: 'Mistral' });
    }

    /** The state is the icon in the status bar. */
    async seesState(icon) {
        await this.statusBar().locator(`.codicon-${icon}`).waitFor({ timeout: PATIENCE_MS });
    }

    async screenshot(name) {
        const path = join(this.program.folder, 'screenshots', `${name.replaceAll(/\W+/g, '-')}.png`);
        await this.page.screenshot({ path });
        return path;
    }
}

/** In the page: the first line of ghost text stands in the line of the cursor, the others in lines of their own. */
function readGhost() {
    const clean = (elements) => [...elements].map((element) => element.textContent).join('').replaceAll('\u00a0', ' ');
    const rest = [...document.querySelectorAll('.suggest-preview-text .view-line')];
    return [
        clean(document.querySelectorAll('.ghost-text-decoration')),
        ...rest.map((line) => clean(line.querySelectorAll('.ghost-text'))),
    ].join('\n');
}

/** In the page: what a person would notice as flicker, so looked for in every frame. */
function watchFrames(text) {
    const found = new Set();
    const lines = () => [...document.querySelectorAll('.view-line')].map((line) =>
        line.textContent.replaceAll('\u00a0', ' ').trim());
    let running = true;
    const look = () => {
        const seen = lines();
        if (!seen.includes(text)) {
            found.add(seen.join('\n'));
        }
        if (running) {
            requestAnimationFrame(look);
        }
    };
    requestAnimationFrame(look);
    return {
        stop() {
            running = false;
            return [...found];
        },
    };
}
