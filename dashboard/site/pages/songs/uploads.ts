/**
 * Uploads of this tab: they go on while one looks at other pages, until the tab is closed, which is asked
 * about. Each file has a key, so that it becomes one song however often it has to be sent.
 */
import Uppy from '@uppy/core';
import XHRUpload from '@uppy/xhr-upload';
import { useSyncExternalStore } from 'react';
import type { ProblemDetails } from '../../../api/problem.ts';
import { apiUrl, newKey, queryClient, whoAmI } from '../../api.ts';
import { bytes } from '../../format.ts';

export interface UploadRow {
  /** What this file is called towards the server, too. */
  key: string;
  /** Public id of the batch that it goes into. */
  batch: string;
  file: File;
  /** 0 to 1. */
  share: number;
  state: 'waiting' | 'running' | 'done' | 'failed';
  error: string | null;
  /** Whether sending it again may help. */
  again: boolean;
  /** Whether its batch is not there any more. */
  gone: boolean;
}

/** Uploads at the same time. */
const atOnce = 3;
/** Nothing moved for so long: said in the console alone, in milliseconds; the server cuts what stands still. */
const stalledMs = 120_000;

let rows: readonly UploadRow[] = [];
const listeners = new Set<() => void>();
let uppy: Uppy | null = null;

/** The uploads of a batch, or all of this tab, oldest first. */
export function useUploads(batch?: string): readonly UploadRow[] {
  const all = useSyncExternalStore(subscribe, () => rows);
  return batch === undefined ? all : all.filter((row) => row.batch === batch);
}

/** Begin to upload; those that are too large are rows with the reason. */
export async function addUploads(files: readonly File[], batch: string): Promise<void> {
  const { limits } = await whoAmI();
  const added = files.map((file): UploadRow => {
    const fits = file.size <= limits.uploadMaxBytes;
    const error = fits ? null : `larger than ${bytes(limits.uploadMaxBytes)}: bounce it to MP3 or FLAC`;
    const row = { key: newKey(), batch, file, share: 0, error, again: false, gone: false };
    return { ...row, state: fits ? 'waiting' : 'failed' };
  });
  show([...rows, ...added]);
  for (const row of added) if (row.state === 'waiting') begin(row);
  await start();
}

/** Send a file again that failed: if the server has it after all, it stays one song. */
export async function retryUpload(key: string): Promise<void> {
  const row = rows.find((one) => one.key === key);
  if (row?.state !== 'failed') return;
  change(key, { state: 'waiting', share: 0, error: null });
  begin(row);
  await start();
}

/** Stop an upload, or take one that has ended off the list. */
export function dropUpload(key: string): void {
  show(rows.filter((row) => row.key !== key));
  const held = uppy?.getFiles().find(({ meta }) => meta['relativePath'] === key);
  if (held) uppy!.removeFile(held.id);
}

function begin({ key, batch, file }: UploadRow): void {
  uppy ??= makeUppy();
  // Uppy takes no file twice, and tells files apart by their paths.
  const meta = { relativePath: key, batch };
  uppy.addFile({ name: file.name, type: file.type, data: file, meta });
}

async function start(): Promise<void> {
  // The proof that a page of ours asks may be another one since the last time.
  const { csrf } = await whoAmI();
  uppy?.setMeta({ csrf });
  await uppy?.upload();
}

function makeUppy(): Uppy {
  const made = new Uppy({ autoProceed: false });
  made.use(XHRUpload, {
    endpoint: (file) => {
      const { meta, name } = Array.isArray(file) ? file[0]! : file;
      return apiUrl(`/batches/${String(meta['batch'])}/songs`, { file: name });
    },
    method: 'post',
    formData: false,
    limit: atOnce,
    timeout: stalledMs,
    headers: ({ meta }) => ({
      'Content-Type': 'application/octet-stream',
      'X-CSRF-Token': String(meta['csrf'] ?? ''),
      'Idempotency-Key': String(meta['relativePath']),
    }),
    // What the server refuses once it refuses again: the whole file would travel for nothing.
    shouldRetry: ({ status }) => mayPass(status),
    getResponseData: ({ responseText }) => JSON.parse(responseText || '{}'),
    onAfterResponse: ({ status, responseText }) => {
      if (status >= 400) throw new Error(detailOf(responseText) ?? `the server answered ${status}`);
    },
  });
  made.on('upload-progress', (file, { bytesUploaded, bytesTotal }) => {
    const share = bytesTotal ? bytesUploaded / bytesTotal : 0;
    if (file) change(keyOf(file), { state: 'running', share });
  });
  made.on('upload-success', (file) => {
    if (!file) return;
    change(keyOf(file), { state: 'done', share: 1 });
    release(made, file.id);
    void queryClient.invalidateQueries({
      predicate: ({ queryKey: [first] }) => typeof first === 'string' && first.startsWith('/batches'),
    });
  });
  made.on('upload-error', (file, error, response) => {
    if (!file) return;
    const status = response?.status ?? 0;
    // Uppy's own words are for who keeps a network.
    const why = response?.status === 0 ? 'the connection was lost' : error.message;
    change(keyOf(file), { state: 'failed', error: why, again: mayPass(status), gone: status === 404 });
    release(made, file.id);
  });
  return made;
}

/** No answer, too many at once, or trouble of the server's: it may pass. */
const mayPass = (status: number) => status === 0 || status === 429 || status >= 500;

const keyOf = ({ meta }: { meta: Record<string, unknown> }) => String(meta['relativePath']);

/** When Uppy is through with it: what has failed it would send again with the next file. */
function release(from: Uppy, id: string): void {
  setTimeout(() => {
    if (from.getFile(id)) from.removeFile(id);
  });
}

function detailOf(text: string): string | null {
  try {
    return (JSON.parse(text) as Partial<ProblemDetails>).detail ?? null;
  } catch {
    return null; // a proxy's own words
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(key: string, to: Partial<UploadRow>): void {
  show(rows.map((row) => (row.key === key ? { ...row, ...to } : row)));
}

function show(now: readonly UploadRow[]): void {
  rows = now;
  const busy = rows.some(({ state }) => state === 'waiting' || state === 'running');
  if (busy) addEventListener('beforeunload', askFirst);
  else removeEventListener('beforeunload', askFirst);
  for (const listener of listeners) listener();
}

/** The browser asks whether to leave in its own words. */
function askFirst(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
