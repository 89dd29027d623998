/** The catalogue: search, filter, page. */
import { Link } from 'react-router';
import type { TrackItem } from '../../../api/catalogue/schemas.ts';
import { useAddressFilter } from '../../components/address-filter.ts';
import { SelectField, TypedField } from '../../components/field.tsx';
import { type Paged, useList } from '../../components/list.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';
import { SavedViews } from '../../components/saved-views.tsx';
import { Status } from '../../components/status.tsx';
import { type Column, DataTable, Pager } from '../../components/table.tsx';
import { day, duration } from '../../format.ts';
import { EmptyCatalogue } from './empty-catalogue.tsx';

const filters = [
  ...(['search', 'state', 'source', 'genre', 'popularityFrom', 'popularityTo'] as const),
  ...(['yearFrom', 'yearTo', 'kept', 'dataSet', 'split'] as const),
];
/** Of what is filtered the server counts no more. */
const mostCounted = 10_000;

export default function Tracks() {
  const [search, set, setSearch] = useAddressFilter();
  const asked = Object.fromEntries(filters.map((name) => [name, search.get(name)]));
  const tracks = useList<Paged<TrackItem>>('/tracks', { ...asked, sort: search.get('sort') });
  const filtered = filters.some((name) => search.get(name));
  return (
    <Page
      title="Catalogue"
      lead="Tracks that were crawled or taken in, with their popularity."
      actions={
        <>
          <Link className="button" to="/tracks/overview">
            Plots
          </Link>
          <SavedViews />
        </>
      }
    >
      <div className="filters">
        <TypedField
          label="Search"
          hint="title, artist, track-7 or ISRC"
          value={search.get('search') ?? ''}
          onSettled={(value) => set('search', value)}
        />
        <SelectField
          label="State"
          value={search.get('state') ?? ''}
          onChange={(value) => set('state', value)}
          options={[
            ['', 'any'],
            ...['listed', 'queued', 'fetched', 'ready', 'failed'].map((name) => [name, name] as const),
          ]}
        />
        <TypedField
          label="Genre"
          value={search.get('genre') ?? ''}
          onSettled={(value) => set('genre', value)}
        />
        <TypedField
          label="Popularity from"
          number
          value={search.get('popularityFrom') ?? ''}
          onSettled={(value) => set('popularityFrom', value)}
        />
        <TypedField
          label="to"
          number
          value={search.get('popularityTo') ?? ''}
          onSettled={(value) => set('popularityTo', value)}
        />
        <TypedField
          label="Released from"
          number
          value={search.get('yearFrom') ?? ''}
          onSettled={(value) => set('yearFrom', value)}
        />
        <TypedField
          label="to"
          number
          value={search.get('yearTo') ?? ''}
          onSettled={(value) => set('yearTo', value)}
        />
        {filtered && (
          <button type="button" onClick={() => setSearch({})}>
            Clear
          </button>
        )}
      </div>
      {search.get('dataSet') && (
        <p>
          Of <Link to={`/data-sets/${search.get('dataSet')}`}>{search.get('dataSet')}</Link>
          {search.get('split') && `, side ${search.get('split')}`}.
        </p>
      )}
      <Panel title="Tracks">
        <Loaded query={tracks}>
          {({ items, ...page }) =>
            items.length === 0 ? (
              filtered ? (
                <Empty title="No track fits">Loosen the filter above.</Empty>
              ) : (
                <EmptyCatalogue />
              )
            ) : (
              <>
                <DataTable
                  caption="Tracks"
                  rows={items}
                  rowId={({ id }) => id}
                  columns={columns}
                  serverSorted
                  choosable
                />
                <Pager {...page} noun="tracks" {...(filtered ? { most: mostCounted } : {})} />
              </>
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

const columns: Column<TrackItem>[] = [
  { id: 'id', header: 'Id', sortBy: true, cell: ({ id }) => id },
  {
    id: 'title',
    header: 'Title',
    prose: true,
    sortBy: true,
    cell: ({ id, title }) => <Link to={`/tracks/${id}`}>{title || id}</Link>,
  },
  { id: 'artists', header: 'Artists', prose: true, cell: ({ artists }) => artists.join(', ') },
  { id: 'album', header: 'Album', prose: true, extra: true, cell: ({ album }) => album },
  { id: 'genre', header: 'Genre', cell: ({ genre }) => genre },
  { id: 'released', header: 'Released', sortBy: true, cell: ({ released }) => released && day(released) },
  {
    id: 'popularity',
    header: 'Popularity (0–100)',
    numeric: true,
    sortBy: true,
    cell: ({ popularity }) => (popularity === null ? '–' : Math.round(popularity)),
  },
  {
    id: 'duration',
    header: 'Length',
    numeric: true,
    extra: true,
    cell: ({ durationSeconds }) => (durationSeconds === null ? '–' : duration(durationSeconds)),
  },
  { id: 'isrc', header: 'ISRC', extra: true, cell: ({ isrc }) => isrc },
  { id: 'source', header: 'Source', extra: true, cell: ({ source }) => source },
  {
    id: 'state',
    header: 'Audio',
    prose: true,
    cell: ({ state, reason }) => (
      <>
        <Status state={state} />
        {reason && <small> {reason}</small>}
      </>
    ),
  },
];
