/** Where files are dropped or chosen; each shows how far its upload is. */

import { useQueryClient } from '@tanstack/react-query';
import Uppy, { type UppyFile } from '@uppy/core';
import XHRUpload from '@uppy/xhr-upload';
import { useEffect, useId, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { BatchItem } from '../../../api/songs/schemas.ts';
import { apiUrl, send, useMe, whoAmI } from '../../api.ts';
import { TextField } from '../../components/field.tsx';
import { Notice, Trouble } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { bytes, count } from '../../format.ts';

type File_ = UppyFile<Record<string, unknown>, Record<string, unknown>>;

interface Row {
  id: string;
  name: string;
  size: number | null;
  share: number;
  state: 'waiting' | 'running' | 'done' | 'failed';
  error: string | null;
}

/** Uploads at the same time. */
const atOnce = 3;

interface Props {
  /** Of the batch that is begun; ignored where there is one. */
  name?: string;
  onName?: (name: string) => void;
  /** Adds to this batch instead of beginning one. */
  batch?: string;
}

export function DropZone({ name = '', onName, batch: existing }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const inputId = useId();
  const client = useQueryClient();
  const me = useMe();
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [batch, setBatch] = useState<string | null>(existing ?? null);
  const [refused, setRefused] = useState<readonly Row[]>([]);
  const [over, setOver] = useState(false);
  const [trouble, setTrouble] = useState<unknown>(null);
  const wanted = useRef({ name });
  wanted.current = { name };
  const target = useRef<string | null>(existing ?? null);
  const uppy = useRef<Uppy | null>(null);

  useEffect(() => {
    const own = new Uppy({ autoProceed: false });
    own.use(XHRUpload, {
      endpoint: (file) => {
        const one = Array.isArray(file) ? file[0]! : file;
        return apiUrl(`/batches/${target.current}/songs`, { file: one.name });
      },
      method: 'post',
      formData: false,
      limit: atOnce,
      timeout: 120_000,
      headers: (file) => ({
        'Content-Type': 'application/octet-stream',
        'X-CSRF-Token': String(file.meta['csrf'] ?? ''),
      }),
      getResponseData: ({ responseText }) => JSON.parse(responseText || '{}'),
      onAfterResponse: ({ status, responseText }) => {
        if (status < 400) return;
        const problem = JSON.parse(responseText || '{}') as { detail?: string };
        throw new Error(problem.detail ?? `the server answered ${status}`);
      },
    });
    const show = () => setRows(own.getFiles().map((file) => rowOf(file as File_)));
    for (const event of ['file-added', 'upload-progress', 'upload-error'] as const) own.on(event, show);
    own.on('upload-success', () => {
      show();
      void client.invalidateQueries({ queryKey: [`/batches/${target.current}`] });
    });
    own.on('complete', show);
    uppy.current = own;
    return () => own.destroy();
  }, [client]);

  const refuse = (files: readonly File[], error: string) =>
    setRefused((before) => [
      ...before,
      ...files.map(
        ({ name: file, size }, index): Row => ({
          ...{ id: `refused ${before.length + index}`, name: file, size, share: 0, state: 'failed', error },
        }),
      ),
    ]);

  const add = async (files: Iterable<File>) => {
    setTrouble(null);
    try {
      const { csrf, limits } = await whoAmI();
      const chosen = [...files];
      const fitting = chosen.filter((file) => file.size <= limits.uploadMaxBytes);
      refuse(
        chosen.filter((file) => !fitting.includes(file)),
        `larger than ${bytes(limits.uploadMaxBytes)}: bounce it to MP3 or FLAC`,
      );
      if (fitting.length === 0) return;
      if (target.current === null) {
        const made = await send<BatchItem>('POST', '/batches', { name: wanted.current.name.trim() || null });
        target.current = made.id;
        setBatch(made.id);
      }
      for (const file of fitting) {
        // One that failed may be tried again; Uppy takes no file twice, and says so.
        const failed = uppy.current!.getFiles().filter((other) => other.error && other.name === file.name);
        for (const { id } of failed) uppy.current!.removeFile(id);
        try {
          uppy.current!.addFile({ name: file.name, type: file.type, data: file, meta: { csrf } });
        } catch {
          refuse([file], 'this very file is in the list already');
        }
      }
      await uppy.current!.upload();
      await client.invalidateQueries({ queryKey: ['/batches', {}] });
    } catch (error) {
      setTrouble(error);
    }
  };

  const done = rows.filter(({ state }) => state === 'done').length;
  const all = [...rows, ...refused];
  return (
    <div>
      {!existing && (
        <TextField
          label="Name of the batch"
          value={name}
          onChange={onName ?? (() => {})}
          placeholder="e.g. album demos"
        />
      )}
      <section
        aria-label="Drop songs here"
        className={over ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void add(event.dataTransfer.files);
        }}
      >
        <p>
          <strong>Drop songs here</strong>, or
        </p>
        <label className="button primary" htmlFor={inputId}>
          Choose files
        </label>
        <input
          ref={input}
          id={inputId}
          className="hidden"
          type="file"
          multiple
          onChange={({ target: chosen }) => {
            void add(chosen.files ?? []).then(() => {
              if (input.current) input.current.value = '';
            });
          }}
        />
        <p>
          <small>
            MP3, WAV, AIFF, FLAC, Ogg, Opus, M4A and others; up to{' '}
            {bytes(me.data?.limits.uploadMaxBytes ?? 0)} each, {count(me.data?.limits.uploadMaxFiles ?? 0)} a
            batch. Of each the loudest 30 seconds are judged.
          </small>
        </p>
      </section>
      {trouble !== null && <Trouble error={trouble} />}
      {all.length > 0 && (
        <>
          <Notice kind={done === all.length ? 'good' : 'info'}>
            {count(done)} of {count(all.length)} uploaded.{' '}
            {batch && !existing && <Link to={`/songs/batch/${batch}`}>Watch them being judged</Link>}
          </Notice>
          <ul className="plain uploads" aria-label="Uploads">
            {all.map(({ id, name: file, size, share, state, error }) => (
              <li key={id}>
                <Status state={state} word={state === 'done' ? 'uploaded' : state} /> {file}{' '}
                {size !== null && <small>{bytes(size)}</small>}{' '}
                {state === 'running' && <progress value={share} max={1} aria-label={`Upload of ${file}`} />}
                {error && <small className="status bad"> {error}</small>}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function rowOf(file: File_): Row {
  const { uploadComplete, uploadStarted, percentage } = file.progress;
  const error = (file as { error?: string | null }).error ?? null;
  return {
    ...{ id: file.id, name: file.name ?? 'unnamed', size: file.size, error },
    share: (percentage ?? 0) / 100,
    state: error ? 'failed' : uploadComplete ? 'done' : uploadStarted ? 'running' : 'waiting',
  };
}
