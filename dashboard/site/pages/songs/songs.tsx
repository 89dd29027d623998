import { Page } from '../../components/page.tsx';

export default function Songs() {
  return <Page title="Songs">{null}</Page>;
}
