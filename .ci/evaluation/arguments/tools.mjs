import { code, table } from '../../markdown.mjs';
import { when } from '../sentences.mjs';
import { grid } from '../picture.mjs';

const chosen = ['proposal', 'linux', 'loader'];

/** How far a run came, for a cell. */
const ended = ({ outcome, reason }) => (outcome === 'limit' ? reason : `${outcome}: ${reason}`);
const succeeded = ({ outcome, reason }) => outcome === 'exited' && reason === 'Exit(EFI_SUCCESS)';
const writes = (run) => (run.variables?.written ?? []).length > 0;

export const tools = {
  name: 'tools',
  title: 'Exit and variables are needed for tools, installers and OVMF',
  by: 'the kernelnewbies wiki, 2016',
  claim:
    'Exit() is probably needed for EFI drivers and tools if you want to run OVMF; variable operations may be needed if you want to use standard distribution installers.',
  async figures(runs) {
    const { images } = await runs.row('images');
    return Object.entries(images)
      .filter(([, { kind, runs: made }]) => ['tool', 'driver', 'loader'].includes(kind) && made !== undefined)
      .map(([image, { what, package: from, version, runs: made }]) => ({
        image,
        what,
        from: `${from} ${version}`,
        runs: Object.fromEntries(
          chosen
            .filter((profile) => made[profile] !== undefined)
            .map((profile) => {
              const { outcome, reason, services, missed, variables } = made[profile];
              return [profile, { outcome, reason, calls: Object.keys(services), missed, variables }];
            }),
        ),
      }));
  },
  text(figures) {
    const profiles = chosen.filter((profile) => figures.some(({ runs }) => runs[profile] !== undefined));
    const richest = profiles.at(-1);
    const through = (profile) => figures.filter(({ runs }) => runs[profile] !== undefined);
    const count = (profile, test) => through(profile).filter(({ runs }) => test(runs[profile])).length;
    const calls = (pattern) => count(richest, ({ calls: names }) => names.some((name) => pattern.test(name)));
    const exits = count(richest, ({ outcome }) => outcome === 'exited');
    const firstMissed = ({ missed }) => missed.find(({ profile }) => profile === null || profile !== undefined)?.name;
    return {
      picture: grid({
        title: 'Applications by profile',
        columns: profiles,
        rows: figures.map(({ image, runs }) => ({
          label: image,
          cells: profiles.map((profile) =>
            runs[profile] === undefined
              ? { kind: 'none', said: '-' }
              : {
                  kind: succeeded(runs[profile]) ? 'good' : runs[profile].outcome === 'exited' ? 'middle' : 'bad',
                  said: ended(runs[profile]),
                },
          ),
        })),
      }),
      figure: profiles
        .map(
          (profile) =>
            `${count(profile, succeeded)} of ${through(profile).length} applications end with success under ${profile}`,
        )
        .join(', '),
      body: [
        `Applications and boot loaders from Debian's packages (examples/get-images), each run with nothing but itself, under every profile:`,
        '',
        table(
          ['image', 'what it is', ...profiles, `first of what ${richest} lacks`],
          figures.map(({ image, what, runs }) => [
            image,
            what,
            ...profiles.map((profile) => (runs[profile] === undefined ? '-' : ended(runs[profile]))),
            runs[richest] === undefined ? '-' : code(firstMissed(runs[richest]) ?? '-'),
          ]),
        ),
      ],
      forEfi: [
        when(
          exits > 0 && calls(/Variable/) > 0,
          `The wiki was right about both: ${exits} of ${through(richest).length} leave by Exit under ${richest}, ${calls(/Variable/)} ask for variables, ${count(richest, writes)} write some that are there in the next run.`,
        ),
      ],
      forPvh: [
        when(
          count('proposal', succeeded) < through('proposal').length / 2,
          `Exit and variables are far from enough: under the proposal ${count('proposal', succeeded)} of ${through('proposal').length} end with success. Applications are written for a whole firmware, above all its console, its events and its memory services.`,
        ),
      ],
      open: ['Installers of distributions: they want disks and file systems, which this machine does not have.'],
    };
  },
};
