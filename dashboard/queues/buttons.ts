/**
 * The board has a switch for all of its buttons and none for each. What this server refuses is hidden by its
 * icon, in the one version of the board that is installed: a browser test says when that no longer holds.
 */

/** In the menus of a queue: adding, retrying, limits, emptying, obliterating. */
const refusedInMenus = ['plus', 'refresh-cw', 'chart-no-axes-gantt', 'gauge', 'trash-2', 'ban'];
/** Beside a scheduler: running, editing and removing it. */
const refusedOfSchedulers = ['play', 'pencil', 'trash-2'];
/** Of a job, or of all that are shown: running at once what is delayed. */
const allowedOfJobs = 'corner-up-left';

const icons = (names: readonly string[]) => `:is(${names.map((name) => `.lucide-${name}`).join()})`;

export const hidingStyle = `<style>
[role=menuitem]:has(> ${icons(refusedInMenus)}),
td button:has(> ${icons(refusedOfSchedulers)}),
:is([class^=jobActions-], [class^=queueActions-]) > li:not(:has(.lucide-${allowedOfJobs})) { display: none !important; }
</style>`;
