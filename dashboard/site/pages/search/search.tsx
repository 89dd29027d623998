/** What was found by a name or an id, by kind. */
import { Link, useSearchParams } from 'react-router';
import type { Found, Hit } from '../../../api/search/schemas.ts';
import { useApi } from '../../api.ts';
import { Empty, Loaded, Page, Panel } from '../../components/page.tsx';

const kinds: readonly [Hit['kind'], string][] = [
  ['job', 'Jobs in the queues'],
  ['track', 'Tracks'],
  ['song', 'Songs'],
  ['batch', 'Batches of songs'],
  ['model', 'Models'],
  ['run', 'Training runs'],
  ['data-set', 'Data sets'],
  ['crawl', 'Crawls'],
  ['night', 'Nights'],
  ['schedule', 'Schedules'],
  ['failure', 'Failures'],
];

export default function Search() {
  const [search] = useSearchParams();
  const q = search.get('q')?.trim() ?? '';
  const found = useApi<Found>('/search', { q }, { enabled: q !== '' });
  return (
    <Page title={q === '' ? 'Search' : `Search: ${q}`}>
      {q === '' ? (
        <Empty title="Nothing is searched for yet">
          Type the name or id of a track, song, batch, model, crawl or job into the box above; the key / leads
          there.
        </Empty>
      ) : (
        <Loaded query={found}>{(answer) => <Hits found={answer} />}</Loaded>
      )}
    </Page>
  );
}

function Hits({ found: { q, hits, most, full } }: { found: Found }) {
  if (hits.length === 0) {
    return (
      <Empty title="Nothing has that name or id">
        Words are looked for in titles, artists and names, each from its beginning; ids look like{' '}
        <code>track-12</code>, <code>model-3</code> or <code>score-batch-3</code>.
      </Empty>
    );
  }
  return kinds.map(([kind, title]) => {
    const own = hits.filter((hit) => hit.kind === kind);
    if (own.length === 0) return null;
    return (
      <Panel key={kind} title={title}>
        <ul className="plain">
          {own.map((hit) => (
            <li key={hit.id}>
              <HitLink hit={hit} /> {hit.id !== hit.title && <small>{hit.id}</small>}{' '}
              {hit.note && <small>{hit.note}</small>}
            </li>
          ))}
        </ul>
        {full.includes(kind) && (
          <p>
            <small>The first {most}. </small>
            {kind === 'track' && <Link to={`/tracks?search=${encodeURIComponent(q)}`}>All that fit</Link>}
          </p>
        )}
      </Panel>
    );
  });
}

/** The board of the queues is no page of these. */
function HitLink({ hit: { href, title } }: { hit: Hit }) {
  return href.startsWith('/queues') ? <a href={href}>{title}</a> : <Link to={href}>{title}</Link>;
}
