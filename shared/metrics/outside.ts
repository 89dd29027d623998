/** Counting what is asked of the outside. Addresses are told by their class alone: they may hold secrets. */
import { recorder } from './recorder.ts';

export const services = [
  ...(['spotify', 'spotify-token', 'deezer'] as const),
  ...(['preview-spotify', 'preview-deezer', 'preview-simulator', 'preview-other'] as const),
];
export type Service = (typeof services)[number];

/**
 * A request begins.
 * @returns to be called with the answer's HTTP status, or undefined where no whole answer came
 */
export function countRequest(service: Service): (status: number | undefined) => void {
  const began = performance.now();
  return (status) => {
    const labels = { service, status: status === undefined ? 'none' : String(status) };
    recorder.observe('hiphop_outside_request_duration_seconds', labels, (performance.now() - began) / 1_000);
  };
}

/** A service has asked to be left alone for so long, in milliseconds. */
export function countWait(service: Service, waitMs: number): void {
  recorder.observe('hiphop_outside_wait_seconds', { service }, waitMs / 1_000);
}

/** Whose previews an address gives. */
export function previewService({ hostname, protocol }: URL): Service {
  if (/(^|\.)(scdn\.co|spotify\.com)$/.test(hostname)) return 'preview-spotify';
  if (/(^|\.)(dzcdn\.net|deezer\.com)$/.test(hostname)) return 'preview-deezer';
  // The one place that is not asked by https.
  return protocol === 'http:' ? 'preview-simulator' : 'preview-other';
}
