/** What every page has: a heading, and words while something loads, is missing or went wrong. */
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';

interface PageProps {
  title: string;
  /** One line below the title. */
  lead?: ReactNode;
  /** Buttons beside the title. */
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, lead, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · hiphop-popularity`;
  }, [title]);
  return (
    <>
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {lead && <p className="lead">{lead}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}

/** A part of a page with a heading of its own. */
export function Panel({
  title,
  actions,
  children,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="panel">
      <header>
        <h2>{title}</h2>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** What to do next where there is nothing yet. */
export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="empty">
      <p>
        <strong>{title}</strong>
      </p>
      <div>{children}</div>
    </div>
  );
}

/** An error in the server's words. */
export function Trouble({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className="notice bad" role="alert">
      <span aria-hidden="true">✕ </span>
      {error instanceof Error ? error.message : String(error)}{' '}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Something that people should know. */
export function Notice({
  kind = 'info',
  children,
}: {
  kind?: 'info' | 'warn' | 'good';
  children: ReactNode;
}) {
  const icon = { info: 'ℹ', warn: '▲', good: '✓' }[kind];
  return (
    <div className={`notice ${kind}`} role="status">
      <span aria-hidden="true">{icon} </span>
      {children}
    </div>
  );
}

/** Show what was asked for once it is there; until then that it loads, or what went wrong. */
export function Loaded<Value>({
  query,
  children,
}: {
  query: UseQueryResult<Value>;
  children: (value: Value) => ReactNode;
}) {
  // What was there before stays while it is asked for again.
  if (query.data !== undefined) {
    return (
      <>
        {query.error && <Trouble error={query.error} retry={() => void query.refetch()} />}
        {children(query.data)}
      </>
    );
  }
  if (query.error) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  return (
    <p className="loading" role="status">
      Loading …
    </p>
  );
}

/** Names and values. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** One large figure with its unit and what it counts. */
export function Figure({ value, name, note }: { value: ReactNode; name: string; note?: ReactNode }) {
  return (
    <div className="figure">
      <strong>{value}</strong>
      <span>{name}</span>
      {note && <small>{note}</small>}
    </div>
  );
}
