/** What all pages stand in: where one is, who one is, and what everybody must see. */
import { useState } from 'react';
import { NavLink, Outlet, useLocation } from 'react-router';
import type { Me } from '../api/access/schemas.ts';
import type { PipelineSnapshot } from '../api/pipeline/schemas.ts';
import { queryClient, send, useMe } from './api.ts';
import { useConnected, useEvent } from './events.ts';
import { timeZone } from './format.ts';
import { SearchBox } from './search-box.tsx';
import { applyTheme, storedTheme, themes } from './theme.ts';

type Role = NonNullable<Me['role']>;

/** Pages in the order of the work; who does not see one could do nothing there. */
const pages: readonly { to: string; name: string; for: readonly Role[]; outside?: boolean }[] = [
  { to: '/', name: 'Pipeline', for: ['viewer', 'operator'] },
  { to: '/failures', name: 'Failures', for: ['viewer', 'operator'] },
  { to: '/queues', name: 'Queues', for: ['viewer', 'operator'], outside: true },
  { to: '/tracks', name: 'Catalogue', for: ['viewer', 'artist', 'operator'] },
  { to: '/models', name: 'Models', for: ['viewer', 'artist', 'operator'] },
  { to: '/songs', name: 'Songs', for: ['artist', 'operator'] },
  { to: '/schedules', name: 'Schedules', for: ['viewer', 'operator'] },
  { to: '/history', name: 'History', for: ['viewer', 'operator'] },
  { to: '/logs', name: 'Logs', for: ['operator'] },
  { to: '/audit', name: 'Audit', for: ['operator'] },
];

export function Layout() {
  const me = useMe();
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  const role = me.data?.role ?? null;
  const signedOut = me.data !== undefined && me.data.name === null;
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <NavLink to={role === 'artist' ? '/songs' : '/'} className="brand">
          hiphop-popularity
        </NavLink>
        <button
          type="button"
          className="menu"
          aria-expanded={open}
          aria-controls="pages"
          onClick={() => setOpen(!open)}
        >
          Menu
        </button>
        <nav id="pages" aria-label="Pages" className={open ? 'open' : ''}>
          {pages
            .filter((page) => role !== null && page.for.includes(role))
            .map(({ to, name, outside }) =>
              outside ? (
                <a key={to} href={to}>
                  {name}
                </a>
              ) : (
                <NavLink key={to} to={to} end={to === '/'} onClick={() => setOpen(false)}>
                  {name}
                </NavLink>
              ),
            )}
        </nav>
        {role !== null && <SearchBox />}
        <Person me={me.data} />
      </header>
      <PausedBanner />
      <Disconnected />
      <main id="content" key={pathname.split('/')[1]} tabIndex={-1}>
        {signedOut && pathname !== '/sign-in' ? <SignInFirst /> : <Outlet />}
      </main>
      <footer>
        <span>All times in {timeZone}</span>
        <a href="/api/docs">API</a>
        <ThemeChoice />
      </footer>
    </>
  );
}

function Person({ me }: { me: Me | undefined }) {
  if (!me) return null;
  if (me.name === null) {
    return (
      <div className="person">
        <NavLink to="/sign-in">Sign in</NavLink>
      </div>
    );
  }
  if (!me.needsSignIn) {
    return (
      <div className="person" title="No accounts exist: whoever sits at this machine may do everything">
        local
      </div>
    );
  }
  return (
    <div className="person">
      <NavLink to="/account">
        {me.name} <small>({me.role})</small>
      </NavLink>
      {me.role === 'operator' && <NavLink to="/accounts">Accounts</NavLink>}
      <button
        type="button"
        onClick={async () => {
          await send('POST', '/sign-out');
          queryClient.clear();
          location.assign('/sign-in');
        }}
      >
        Sign out
      </button>
    </div>
  );
}

function SignInFirst() {
  return (
    <div className="empty">
      <p>
        <strong>These pages are for people with an account.</strong>
      </p>
      <NavLink to="/sign-in">Sign in</NavLink>
    </div>
  );
}

/** A pause is seen on every page, and says what it pauses. */
function PausedBanner() {
  const paused = useEvent<PipelineSnapshot>('pipeline')?.value.paused ?? [];
  if (paused.length === 0) return null;
  return (
    <div className="notice warn banner" role="status">
      <span aria-hidden="true">⏸ </span>
      Paused: {paused.map(({ what, by }) => (by ? `${what} (by ${by})` : what)).join(', ')}. What waits there
      waits on. <NavLink to="/">Resume</NavLink>
    </div>
  );
}

function Disconnected() {
  if (useConnected() !== false) return null;
  return (
    <div className="notice bad banner" role="alert">
      <span aria-hidden="true">✕ </span>
      The server does not answer: what you see may be old. It is tried again.
    </div>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState(storedTheme);
  return (
    <label>
      Theme{' '}
      <select
        value={theme}
        onChange={({ target }) => {
          const chosen = themes.find((name) => name === target.value)!;
          setTheme(chosen);
          applyTheme(chosen);
        }}
      >
        {themes.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
