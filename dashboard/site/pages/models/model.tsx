import { Page } from '../../components/page.tsx';

export default function Model() {
  return <Page title="Model">{null}</Page>;
}
