/** Where files are dropped or chosen. What becomes of them is in the list of uploads. */
import { useEffect, useId, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { ModelsSnapshot } from '../../../api/models/schemas.ts';
import type { BatchItem } from '../../../api/songs/schemas.ts';
import { queryClient, send, useMe } from '../../api.ts';
import { TextField } from '../../components/field.tsx';
import { Empty, Trouble } from '../../components/page.tsx';
import { useEvent } from '../../events.ts';
import { bytes, count } from '../../format.ts';
import { addUploads, useUploads } from './uploads.ts';

interface Props {
  /** Adds to this batch instead of beginning one. */
  batch?: string;
}

export function DropZone({ batch }: Props) {
  const models = useEvent<ModelsSnapshot>('models')?.value;
  // A batch has its judge already; a new one gets the champion.
  if (batch === undefined && models && models.champion === null) return <NoJudge />;
  return <Drop {...(batch === undefined ? {} : { batch })} />;
}

function NoJudge() {
  const me = useMe();
  return (
    <Empty title="Nobody can judge songs yet">
      {me.data?.role === 'operator' ? (
        <p>
          No model is champion. <Link to="/models">Train models and promote one</Link>; then drop songs in
          here.
        </p>
      ) : (
        <p>
          No model has been chosen to judge songs. The operators of this machine can choose one; then drop
          songs in here.
        </p>
      )}
    </Empty>
  );
}

function Drop({ batch }: Props) {
  const inputId = useId();
  const me = useMe();
  const [name, setName] = useState('');
  const [over, setOver] = useState(false);
  const [trouble, setTrouble] = useState<unknown>(null);
  /** What was begun with the first drop, for those that follow. */
  const begun = useRef<Promise<BatchItem> | null>(null);
  const [into, setInto] = useState<BatchItem | null>(null);
  const isGone = useUploads(into?.id ?? '').some(({ gone }) => gone);

  // Deleted meanwhile: what is dropped next begins another one.
  useEffect(() => {
    if (!isGone) return;
    begun.current = null;
    setInto(null);
  }, [isGone]);

  const beginAnother = () => {
    begun.current = null;
    setInto(null);
    setName('');
  };

  const begin = async (): Promise<BatchItem> => {
    const made = await send<BatchItem>('POST', '/batches', { name: name.trim() || null });
    void queryClient.invalidateQueries({ queryKey: ['/batches'] });
    setInto(made);
    return made;
  };

  const target = async (): Promise<string> => {
    if (batch !== undefined) return batch;
    begun.current ??= begin().catch((error: unknown) => {
      begun.current = null;
      throw error;
    });
    return (await begun.current).id;
  };

  const add = async (files: readonly File[]) => {
    setTrouble(null);
    if (files.length === 0) return;
    try {
      await addUploads(files, await target());
    } catch (error) {
      setTrouble(error);
    }
  };

  return (
    <div>
      {batch === undefined &&
        (into ? (
          <p className="actions">
            <span>
              Goes into <Link to={`/songs/batch/${into.id}`}>{into.name ?? into.id}</Link>, and is ranked with
              what is in it.
            </span>
            <button type="button" onClick={beginAnother}>
              Begin another batch
            </button>
          </p>
        ) : (
          <TextField
            label="Name of the batch"
            value={name}
            onChange={setName}
            placeholder="e.g. album demos"
          />
        ))}
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
          void add([...event.dataTransfer.files]);
        }}
      >
        <p>
          <strong>Drop songs here</strong>, or
        </p>
        <label className="button primary" htmlFor={inputId}>
          Choose files
        </label>
        <input
          id={inputId}
          className="hidden"
          type="file"
          multiple
          onChange={({ target: input }) => {
            const chosen = [...(input.files ?? [])];
            // So that the same file can be chosen again.
            input.value = '';
            void add(chosen);
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
    </div>
  );
}
