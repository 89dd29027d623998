import { useSearchParams } from 'react-router';
import { type Parameters, useApi } from '../api.ts';

/** One part of a list that the server gives in parts. */
export interface Paged<Item> {
  total: number;
  offset: number;
  limit: number;
  items: Item[];
}

/**
 * Read the part of a list whose place stands in the address. The part before stays until the next one is
 * there: a table that gave way to "Loading" would take the scroll and the keyboard's place with it.
 *
 * @param prefix of the parameters in the address, where the page has another list: `runs.` for `runs.offset`
 */
export function useList<Answer>(path: string, parameters: Parameters = {}, prefix = '') {
  const [search] = useSearchParams();
  return useApi<Answer>(
    path,
    { ...parameters, offset: search.get(`${prefix}offset`) },
    { placeholderData: (before) => before },
  );
}
