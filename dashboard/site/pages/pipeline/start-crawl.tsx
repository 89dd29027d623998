/** A crawl is started in two steps: what, and, once it is known what it costs, yes. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import type { CrawlBody, Estimate, Range } from '../../../api/pipeline/schemas.ts';
import { send } from '../../api.ts';
import { useOnce } from '../../components/action.tsx';
import { TextField } from '../../components/field.tsx';
import { Fact, Facts, Notice, Trouble } from '../../components/page.tsx';
import { count, duration } from '../../format.ts';

const thisYear = new Date().getFullYear();

export function StartCrawl() {
  const dialog = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const navigate = useNavigate();
  const [once, again] = useOnce();
  const [genre, setGenre] = useState('hip-hop');
  const [from, setFrom] = useState(String(thisYear - 2));
  const [to, setTo] = useState(String(thisYear));
  const [market, setMarket] = useState('US');
  const [limit, setLimit] = useState('');
  const [metadataOnly, setMetadataOnly] = useState(false);
  const body = (): CrawlBody => ({
    genre,
    years: [Number(from), Number(to)],
    market,
    limit: limit === '' ? null : Number(limit),
    metadataOnly,
  });
  const estimate = useMutation({ mutationFn: () => send<Estimate>('POST', '/crawls/estimate', body()) });
  const start = useMutation({
    mutationFn: () => send<{ crawl: string }>('POST', '/crawls', body(), once),
    onSuccess: async ({ crawl }) => {
      dialog.current?.close();
      again();
      await client.invalidateQueries({ queryKey: ['/pipeline'] });
      await navigate(`/crawls/${crawl}`);
    },
  });
  const open = () => {
    estimate.reset();
    start.reset();
    dialog.current?.showModal();
  };
  return (
    <>
      <button type="button" className="primary" onClick={open}>
        Start a full recrawl
      </button>
      <dialog ref={dialog} aria-labelledby="start-crawl">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (estimate.data && !estimate.data.obstacle) start.mutate();
            else estimate.mutate();
          }}
          onChange={() => {
            // Another crawl is another intention, and costs something else.
            estimate.reset();
            again();
          }}
        >
          <h2 id="start-crawl">Start a full recrawl</h2>
          <TextField label="Genre" value={genre} onChange={setGenre} required />
          <div className="filters">
            <TextField
              label="First year"
              type="number"
              value={from}
              onChange={setFrom}
              min={1900}
              max={2100}
              required
            />
            <TextField
              label="Last year"
              type="number"
              value={to}
              onChange={setTo}
              min={1900}
              max={2100}
              required
            />
            <TextField label="Market" value={market} onChange={setMarket} required />
          </div>
          <TextField
            label="Limit"
            type="number"
            min={1}
            value={limit}
            onChange={setLimit}
            hint="so many tracks are enough; empty: all"
          />
          <label>
            <input
              type="checkbox"
              checked={metadataOnly}
              onChange={({ target }) => setMetadataOnly(target.checked)}
            />
            Metadata alone, no audio
          </label>
          {estimate.data && <Cost estimate={estimate.data} />}
          {estimate.error && <Trouble error={estimate.error} />}
          {start.error && <Trouble error={start.error} />}
          <div className="actions">
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
            {estimate.data && !estimate.data.obstacle ? (
              <button type="submit" className="primary" disabled={start.isPending}>
                {start.isPending ? 'Starting …' : 'Yes, start it'}
              </button>
            ) : (
              <button type="submit" className="primary" disabled={estimate.isPending}>
                {estimate.isPending ? 'Reckoning …' : 'What will it cost?'}
              </button>
            )}
          </div>
        </form>
      </dialog>
    </>
  );
}

const inWords = ({ from, to }: Range, text: (value: number) => string) =>
  to === null ? `${text(from)} or more` : from === to ? text(from) : `${text(from)} to ${text(to)}`;

function Cost({ estimate }: { estimate: Estimate }) {
  const { requests, downloads, lookups, hours, basis, running, obstacle } = estimate;
  return (
    <div role="status">
      {obstacle && <Notice kind="warn">{obstacle}</Notice>}
      {running && <Notice>{running} asks the same and runs: you would join it.</Notice>}
      <Facts>
        <Fact name="Requests to the source">{inWords(requests, (value) => count(Math.round(value)))}</Fact>
        {lookups.to !== 0 && (
          <Fact name="Recordings to look up at Deezer">
            {inWords(lookups, (value) => count(Math.round(value)))}
          </Fact>
        )}
        <Fact name="Previews to fetch">{inWords(downloads, (value) => count(Math.round(value)))}</Fact>
        <Fact name="Time">{inWords(hours, (value) => duration(value * 3600))}</Fact>
      </Facts>
      <small>{basis}</small>
    </div>
  );
}
