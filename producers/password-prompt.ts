/** Passwords as they are typed or piped in: never an argument, which every process of the machine can read. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CancelledError, UserError } from '../shared/errors.ts';

/**
 * Read a new password: piped in, or asked for twice on the terminal without showing it.
 * @throws UserError when there is no terminal to ask on, or the two differ
 */
export async function newPassword(name: string, { piped }: { piped: boolean }): Promise<string> {
  if (piped) return (await text(process.stdin)).replace(/\r?\n$/, '');
  if (!process.stdin.isTTY) {
    throw new UserError('there is no terminal to type a password on: pipe it in with --password-stdin');
  }
  const password = await ask(`password for ${name}: `);
  if ((await ask('once more: ')) !== password) {
    throw new UserError('the two passwords differ: nothing was changed');
  }
  return password;
}

async function ask(question: string): Promise<string> {
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  // From here on the terminal shows nothing that is typed: not before may anybody be asked.
  process.stderr.write(question);
  const interrupted = new AbortController();
  lines.once('SIGINT', () => interrupted.abort());
  try {
    return await lines.question('', { signal: interrupted.signal });
  } catch {
    throw new CancelledError('no password was typed: nothing was changed');
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
