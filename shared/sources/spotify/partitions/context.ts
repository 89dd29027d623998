/** What a cut is planned by. */
import type { Part, PartTrack } from './part.ts';

export interface CutContext {
  genre: string;
  honoursNot: boolean;
  /** Results that a query shows at most. */
  window: number;
  /** Characters that a query has at most. */
  longestQuery: number;
  /** Known tracks of the part, drawn with as little regard to names as can be. */
  sample: readonly PartTrack[];
  /** About how many tracks the part has, as was expected when it was planned; null: nobody could say. */
  size: number | null;
  /** Whether a part was cut into single letters for want of room, so that rare first characters are asked apart. */
  rareApart: boolean;
  /** Whether they are asked apart at all: where the whole is cut by years. */
  cutByYears: boolean;
  /** Characters that a word may begin with: a to z, 0 to 9 and all others that were seen there. */
  firstCharacters: readonly string[];
  /** Characters that may follow in a word: a to z and all others that were seen there. */
  furtherCharacters: readonly string[];
}

/** A part that was cut off already, and how many results it has, its own parts together; null: under way. */
export interface CutPart {
  part: Part;
  total: number | null;
}
