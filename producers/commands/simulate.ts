import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { entryPoint } from '../../shared/paths.ts';
import { tell } from '../output.ts';

export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('a stand-in for the world outside: Spotify’s accounts, search and previews, Deezer’s API')
    .argument('[options...]', 'of the simulator: hiphop simulate --help lists them')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (options: string[]) => {
      if (!options.includes('--help')) {
        tell('In another terminal: SIMULATOR_URL=(the url below) hiphop crawl --years 2019-2021 --market US');
      }
      const child = spawn(process.execPath, [entryPoint('simulator/main.ts'), 'serve', ...options], {
        // Ctrl-C on the terminal reaches the simulator by itself; SIGTERM is passed on.
        stdio: 'inherit',
      });
      process.on('SIGINT', () => {});
      process.on('SIGTERM', () => child.kill('SIGTERM'));
      process.exitCode = await new Promise<number>((resolve) =>
        child.once('exit', (code) => resolve(code ?? 1)),
      );
    });
}
