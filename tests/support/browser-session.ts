/** Somebody who signs in to the pages, without a browser. */
import type { Answered, Asked, TestDashboard } from './dashboard.ts';

export const testPassword = (name: string) => `the long password of ${name}`;

export interface SignedIn {
  cookie: string;
  csrf: string;
  /** Ask as the pages do: with the cookie, and with its proof. */
  ask: (method: string, path: string, asked?: Asked) => Promise<Answered>;
}

export function cookieOf({ headers }: Answered): string {
  const [cookie] = headers['set-cookie'] ?? [];
  if (cookie === undefined) throw new Error('no cookie was set');
  return cookie.split(';')[0]!;
}

/** @throws Error when it is refused */
export async function signIn(
  dashboard: TestDashboard,
  name: string,
  {
    password = testPassword(name),
    headers = {},
  }: { password?: string; headers?: Record<string, string> } = {},
): Promise<SignedIn> {
  const answer = await dashboard.ask('POST', '/api/sign-in', { headers, body: { name, password } });
  if (answer.status !== 200) throw new Error(`${name} was not let in: ${answer.status} ${answer.text}`);
  const cookie = cookieOf(answer);
  const csrf = answer.json.csrf as string;
  return {
    ...{ cookie, csrf },
    ask: (method, path, asked = {}) =>
      dashboard.ask(method, path, {
        ...asked,
        headers: { Cookie: cookie, 'X-CSRF-Token': csrf, 'Sec-Fetch-Site': 'same-origin', ...asked.headers },
      }),
  };
}
