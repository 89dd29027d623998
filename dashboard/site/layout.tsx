/** What all pages stand in: where one is, who one is, and what everybody must see. */
import { useRef, useState } from 'react';
import { NavLink, Outlet, useLocation } from 'react-router';
import type { Me } from '../api/access/schemas.ts';
import type { PipelineSnapshot } from '../api/pipeline/schemas.ts';
import { queryClient, send, useMe } from './api.ts';
import { Action } from './components/action.tsx';
import { Arrival } from './components/arrival.tsx';
import { Loaded, Page } from './components/page.tsx';
import { useConnected, useEvent } from './events.ts';
import { timeZone } from './format.ts';
import { everyone, homeOf, operators, type Role, songOwners, staff } from './roles.ts';
import { SearchBox } from './search-box.tsx';
import { applyTheme, currentTheme, themes } from './theme.ts';

/** Pages in the order of the work; who does not see one could do nothing there. */
const pages: readonly { to: string; name: string; for: readonly Role[]; outside?: boolean }[] = [
  { to: '/', name: 'Pipeline', for: staff },
  { to: '/failures', name: 'Failures', for: staff },
  { to: '/queues', name: 'Queues', for: staff, outside: true },
  { to: '/tracks', name: 'Catalogue', for: everyone },
  { to: '/models', name: 'Models', for: everyone },
  { to: '/songs', name: 'Songs', for: songOwners },
  { to: '/schedules', name: 'Schedules', for: staff },
  { to: '/history', name: 'History', for: staff },
  { to: '/logs', name: 'Logs', for: operators },
  { to: '/audit', name: 'Audit', for: operators },
];

export function Layout() {
  const me = useMe();
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  const role = me.data?.role ?? null;
  const name = me.data?.name ?? null;
  const content = useRef<HTMLElement>(null);
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <NavLink to={homeOf(role)} className="brand">
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
      <PausedBanner role={role} />
      {name !== null && <Disconnected />}
      <main id="content" ref={content} key={`${name} ${pathname.split('/')[1]}`} tabIndex={-1}>
        {me.data === undefined ? (
          <Loaded query={me}>{() => null}</Loaded>
        ) : name === null && pathname !== '/sign-in' ? (
          <SignInFirst />
        ) : (
          <Outlet />
        )}
      </main>
      <Arrival content={content} />
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
        <SignInLink />
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
      <Action
        label="Sign out"
        run={() => send('POST', '/sign-out')}
        onDone={() => {
          queryClient.clear();
          location.assign('/sign-in');
        }}
      />
    </div>
  );
}

/** Leads back to where one is now. */
function SignInLink() {
  const { pathname, search, state } = useLocation();
  return (
    <NavLink to="/sign-in" state={pathname === '/sign-in' ? state : { from: `${pathname}${search}` }}>
      Sign in
    </NavLink>
  );
}

function SignInFirst() {
  return (
    <Page title="Sign in first">
      <div className="empty">
        <p>
          <strong>These pages are for people with an account.</strong>
        </p>
        <SignInLink />
      </div>
    </Page>
  );
}

/** A pause is seen on every page, and says what it pauses. */
function PausedBanner({ role }: { role: Me['role'] }) {
  const paused = useEvent<PipelineSnapshot>('pipeline')?.value.paused ?? [];
  if (paused.length === 0) return null;
  return (
    <div className="notice warn banner" role="status">
      <span aria-hidden="true">⏸ </span>
      Paused: {paused.map(({ what, by }) => (by ? `${what} (by ${by})` : what)).join(', ')}. What waits there
      waits on. {role === 'operator' && <NavLink to="/">Resume</NavLink>}
    </div>
  );
}

function Disconnected() {
  if (useConnected() !== false) return null;
  return (
    <div className="notice bad banner" role="alert">
      <span aria-hidden="true">✕ </span>
      No news come from the server: what you see may be old. It is tried again.
    </div>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState(currentTheme);
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
