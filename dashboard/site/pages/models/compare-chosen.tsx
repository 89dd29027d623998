/** Models that are chosen on a leaderboard, to be compared. */
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { count } from '../../format.ts';

export function useChosen(): [chosen: readonly string[], choose: (id: string, on: boolean) => void] {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  return [chosen, (id, on) => setChosen(on ? [...chosen, id] : chosen.filter((other) => other !== id))];
}

export function CompareChosen({ chosen }: { chosen: readonly string[] }) {
  const navigate = useNavigate();
  return (
    <button
      type="button"
      disabled={chosen.length < 2}
      onClick={() => void navigate(`/models/compare?models=${chosen.join(',')}`)}
    >
      Compare {chosen.length > 0 ? count(chosen.length) : ''}
    </button>
  );
}
