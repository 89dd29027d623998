import { useQuery } from '@tanstack/react-query';
import { send } from '../../api.ts';
import { inZone } from '../../format.ts';

/** The next times of a pattern, or what is wrong with it. */
export function Firings({ cron, zone }: { cron: string; zone: string }) {
  const firings = useQuery({
    queryKey: ['firings', cron, zone],
    queryFn: () => send<{ next: string[] }>('POST', '/schedules/preview', { cron, timezone: zone }),
    retry: false,
    staleTime: 60_000,
  });
  return (
    <p role="status">
      {firings.error ? (
        <span className="status bad">✕ {firings.error.message}</span>
      ) : (
        <small>
          {firings.data
            ? firings.data.next.length === 0
              ? 'It never fires.'
              : `Next: ${firings.data.next
                  .slice(0, 3)
                  .map((at) => inZone(at, zone))
                  .join('; ')}`
            : ' '}
        </small>
      )}
    </p>
  );
}
