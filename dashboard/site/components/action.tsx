/** Buttons that change something: they say what it will do, wait, and tell what came of it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useId, useRef, useState } from 'react';
import { newKey } from '../api.ts';
import { Notice, Trouble } from './page.tsx';

interface ActionProps<Answer> {
  label: ReactNode;
  run: () => Promise<Answer>;
  /** Asked before; undefined: done at once. */
  confirm?: { title: string; text: ReactNode; yes: string };
  /** Asks for a reason or other fields inside the confirmation. */
  fields?: ReactNode;
  /** Starts of query keys that are out of date then. */
  refreshes?: readonly string[];
  onDone?: (answer: Answer) => void;
  /** What came of it, in words; left out: what the server said. Shown until it is pressed again. */
  tell?: (answer: Answer) => ReactNode;
  kind?: 'plain' | 'primary' | 'danger';
  disabled?: boolean;
  /** For screen readers, where the label alone says too little. */
  name?: string;
}

export function Action<Answer>(props: ActionProps<Answer>) {
  const {
    label,
    run,
    confirm,
    fields,
    refreshes = [],
    onDone,
    tell = whatWasSaid,
    kind = 'plain',
    disabled = false,
    name,
  } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: run,
    onSuccess: async (answer) => {
      dialog.current?.close();
      await client.invalidateQueries({
        predicate: ({ queryKey: [first] }) =>
          typeof first === 'string' && refreshes.some((path) => first.startsWith(path)),
      });
      onDone?.(answer);
    },
  });
  const told = change.isSuccess && tell(change.data);
  const start = () => {
    change.reset();
    if (confirm) dialog.current?.showModal();
    else change.mutate();
  };
  return (
    <>
      <button
        type="button"
        className={kind}
        disabled={disabled || change.isPending}
        onClick={start}
        {...(name ? { 'aria-label': name } : {})}
      >
        {label}
      </button>
      {!confirm && change.error && <Trouble error={change.error} />}
      {told && <Notice>{told}</Notice>}
      {confirm && (
        <dialog ref={dialog} aria-labelledby={title}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              change.mutate();
            }}
          >
            <h2 id={title}>{confirm.title}</h2>
            <div>{confirm.text}</div>
            {fields}
            {change.error && <Trouble error={change.error} />}
            <div className="actions">
              <button type="button" onClick={() => dialog.current?.close()}>
                Go back
              </button>
              <button
                type="submit"
                className={kind === 'danger' ? 'danger' : 'primary'}
                disabled={change.isPending}
              >
                {change.isPending ? 'Working …' : confirm.yes}
              </button>
            </div>
          </form>
        </dialog>
      )}
    </>
  );
}

/** Many answers are what was done, in one line; not all of them. */
function whatWasSaid(answer: unknown): string | null {
  const { said } = (answer ?? {}) as { said?: unknown };
  return typeof said === 'string' ? said : null;
}

/** A key for one intention: pressing twice does it once. A new one after it was done. */
export function useOnce(): [string, () => void] {
  const [key, setKey] = useState(newKey);
  return [key, () => setKey(newKey())];
}
