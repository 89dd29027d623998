import { execFileSync } from 'node:child_process';
import { packageRoot } from '../../shared/paths.ts';

/** Child processes run what was built, so build what is about to be tested. */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: packageRoot, stdio: 'inherit' });
}
