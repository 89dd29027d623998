import { useSearchParams } from 'react-router';

/**
 * Filters of a list that stand in the address, so that a link shows what its sender saw.
 * @param place parameter that says which part of the list is shown: another filter begins at its start
 * @returns the address's parameters, and what sets one of them; empty takes it out
 */
export function useAddressFilter(
  place = 'offset',
): [URLSearchParams, (name: string, value: string) => void, ReturnType<typeof useSearchParams>[1]] {
  const [search, setSearch] = useSearchParams();
  const set = (name: string, value: string) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value === '') next.delete(name);
        else next.set(name, value);
        next.delete(place);
        return next;
      },
      { replace: true },
    );
  return [search, set, setSearch];
}
