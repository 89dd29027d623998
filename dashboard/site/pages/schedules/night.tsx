import { Page } from '../../components/page.tsx';

export default function Night() {
  return <Page title="Night">{null}</Page>;
}
