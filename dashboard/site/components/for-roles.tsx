/** Pages that are for some roles: others are told so instead of meeting refusals. */
import { Link, Navigate, Outlet, useLocation } from 'react-router';
import { useMe } from '../api.ts';
import { homeOf, type Role } from '../roles.ts';
import { Page } from './page.tsx';

export function ForRoles({ roles }: { roles: readonly Role[] }) {
  const me = useMe().data;
  const { pathname } = useLocation();
  // Who is not signed in is asked to by the frame.
  if (!me?.role) return null;
  if (roles.includes(me.role)) return <Outlet />;
  const home = homeOf(me.role);
  if (pathname === '/' && home !== '/') return <Navigate to={home} replace />;
  return (
    <Page title={`For ${roles.map((role) => `${role}s`).join(' and ')} alone`}>
      <p>
        {me.name} is {me.role}. An operator can change that, with <code>hiphop accounts</code> or on the page
        Accounts.
      </p>
      <p>
        <Link to={home}>Go to where you begin</Link>
      </p>
    </Page>
  );
}
