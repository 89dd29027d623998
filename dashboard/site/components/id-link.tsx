import { Link } from 'react-router';

const pageOf: Record<string, (id: string) => string> = {
  crawl: (id) => `/crawls/${id}`,
  model: (id) => `/models/${id}`,
  run: (id) => `/training-runs/${id}`,
  batch: (id) => `/songs/batch/${id}`,
  night: (id) => `/schedules/nights/${id}`,
  track: (id) => `/tracks/${id}`,
  song: (id) => `/songs/${id}`,
  'data-set': (id) => `/data-sets/${id}`,
};

/** A public id as a link to its page. */
export function IdLink({ id }: { id: string }) {
  const page = pageOf[id.replace(/-\d+$/, '')];
  return page ? <Link to={page(id)}>{id}</Link> : id;
}
