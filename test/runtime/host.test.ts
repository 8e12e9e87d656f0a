// How many cores a process may use, from what Linux says about its control groups.

import t from 'tap';
import { availableCores, coresOfGroup } from '../../runtime/host.ts';

const files =
  (content: Readonly<Record<string, string>>) =>
  (path: string): string | null =>
    content[path] ?? null;

t.test('no limit, or none that is told', async (t) => {
  t.equal(coresOfGroup(files({})), Number.POSITIVE_INFINITY);
  t.equal(
    coresOfGroup(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' })),
    Number.POSITIVE_INFINITY,
  );
  t.equal(
    coresOfGroup(files({ '/proc/self/cgroup': 'rubbish\n0::/a', '/sys/fs/cgroup/a/cpu.max': 'rubbish' })),
    Number.POSITIVE_INFINITY,
  );
});

t.test('version 2: the least of a group and those above it, rounded up', async (t) => {
  const group = { '/proc/self/cgroup': '0::/pod/app\n' };
  t.equal(coresOfGroup(files({ ...group, '/sys/fs/cgroup/pod/app/cpu.max': '150000 100000\n' })), 2);
  t.equal(
    coresOfGroup(
      files({
        ...group,
        '/sys/fs/cgroup/pod/app/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/pod/cpu.max': '50000 100000\n',
        '/sys/fs/cgroup/cpu.max': '800000 100000\n',
      }),
    ),
    1,
  );
});

t.test('version 1', async (t) => {
  const folder = '/sys/fs/cgroup/cpu/docker/x';
  const group = { '/proc/self/cgroup': '5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n' };
  t.equal(
    coresOfGroup(
      files({
        ...group,
        [`${folder}/cpu.cfs_quota_us`]: '400000\n',
        [`${folder}/cpu.cfs_period_us`]: '100000\n',
      }),
    ),
    4,
  );
  t.equal(
    coresOfGroup(
      files({
        ...group,
        [`${folder}/cpu.cfs_quota_us`]: '-1\n',
        [`${folder}/cpu.cfs_period_us`]: '100000\n',
      }),
    ),
    Number.POSITIVE_INFINITY,
  );
});

t.test('here there is at least one', async (t) => {
  t.ok(availableCores() >= 1);
  t.ok(Number.isInteger(availableCores()));
});
