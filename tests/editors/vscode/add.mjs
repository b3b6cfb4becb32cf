/**
 * What many scenarios share. A scenario has a file as it is opened, where the cursor is (line and column from 1), what the
 * scripted engine writes after which text, and what happens.
 */
export const ADD = {
    text: 'def add(a, b):\n    \n',
    cursor: [2, 5],
    script: { after: 'def add(a, b):\n    ', answer: 'return a + b', other: 'return a - b' },
};
