/** Addresses, their pages and who sees them; each page is loaded when it is first gone to. */
import { createBrowserRouter, Link, useRouteError } from 'react-router';
import { ForRoles } from './components/for-roles.tsx';
import { Page } from './components/page.tsx';
import { Layout } from './layout.tsx';
import { everyone, operators, songOwners, staff } from './roles.ts';

type Module = Promise<{ default: () => React.ReactNode }>;
const page = (load: () => Module) => async () => ({ Component: (await load()).default });

export const router = createBrowserRouter([
  {
    path: '/',
    Component: Layout,
    ErrorBoundary: Broken,
    // The frame alone, until the first page is there.
    HydrateFallback: () => null,
    children: [
      {
        ErrorBoundary: Broken,
        children: [
          {
            element: <ForRoles roles={staff} />,
            children: [
              { index: true, lazy: page(() => import('./pages/pipeline/pipeline.tsx')) },
              { path: 'crawls', lazy: page(() => import('./pages/pipeline/crawls.tsx')) },
              { path: 'crawls/:crawl', lazy: page(() => import('./pages/pipeline/crawl.tsx')) },
              { path: 'failures', lazy: page(() => import('./pages/pipeline/failures.tsx')) },
              { path: 'schedules', lazy: page(() => import('./pages/schedules/schedules.tsx')) },
              { path: 'schedules/nights/:night', lazy: page(() => import('./pages/schedules/night.tsx')) },
              { path: 'history', lazy: page(() => import('./pages/history/history.tsx')) },
            ],
          },
          {
            element: <ForRoles roles={everyone} />,
            children: [
              { path: 'tracks', lazy: page(() => import('./pages/catalogue/tracks.tsx')) },
              { path: 'tracks/overview', lazy: page(() => import('./pages/catalogue/overview.tsx')) },
              { path: 'tracks/:track', lazy: page(() => import('./pages/catalogue/track.tsx')) },
              { path: 'models', lazy: page(() => import('./pages/models/models.tsx')) },
              { path: 'models/compare', lazy: page(() => import('./pages/models/compare.tsx')) },
              { path: 'models/:model', lazy: page(() => import('./pages/models/model.tsx')) },
              { path: 'training-runs/:run', lazy: page(() => import('./pages/models/run.tsx')) },
              { path: 'data-sets/:dataSet', lazy: page(() => import('./pages/models/data-set.tsx')) },
              { path: 'search', lazy: page(() => import('./pages/search/search.tsx')) },
              { path: 'account', lazy: page(() => import('./pages/access/account.tsx')) },
            ],
          },
          {
            element: <ForRoles roles={songOwners} />,
            children: [
              { path: 'songs', lazy: page(() => import('./pages/songs/songs.tsx')) },
              { path: 'songs/batch/:batch', lazy: page(() => import('./pages/songs/batch.tsx')) },
              { path: 'songs/:song', lazy: page(() => import('./pages/songs/song.tsx')) },
            ],
          },
          {
            element: <ForRoles roles={operators} />,
            children: [
              { path: 'logs', lazy: page(() => import('./pages/history/logs.tsx')) },
              { path: 'audit', lazy: page(() => import('./pages/access/audit.tsx')) },
              { path: 'accounts', lazy: page(() => import('./pages/access/accounts.tsx')) },
            ],
          },
          { path: 'sign-in', lazy: page(() => import('./pages/access/sign-in.tsx')) },
          { path: '*', Component: Missing },
        ],
      },
    ],
  },
]);

function Missing() {
  return (
    <Page title="There is no such page">
      <p>
        <Link to="/">The pipeline</Link> is a good place to go on from.
      </p>
    </Page>
  );
}

function Broken() {
  const error = useRouteError();
  return (
    <Page title="This page broke">
      <div className="notice bad" role="alert">
        {error instanceof Error ? error.message : 'something unforeseen happened'}
      </div>
      <p>
        Reloading often helps: <a href={location.href}>try again</a>, or go to{' '}
        <Link to="/">the pipeline</Link>.
      </p>
    </Page>
  );
}
