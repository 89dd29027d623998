import { Link } from 'react-router';
import { useMe } from '../../api.ts';
import { Empty } from '../../components/page.tsx';

/** What to do about an empty catalogue, as far as whoever looks at it may. */
export function EmptyCatalogue() {
  const operator = useMe().data?.role === 'operator';
  return (
    <Empty title="The catalogue is empty">
      {operator ? (
        <>
          Start a crawl on the page <Link to="/">Pipeline</Link>, or take in your own:{' '}
          <code>hiphop ingest catalogue.csv</code>.
        </>
      ) : (
        'An operator starts a crawl, or takes in a catalogue.'
      )}
    </Empty>
  );
}
