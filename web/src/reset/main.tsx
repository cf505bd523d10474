import { mount } from '../page';
import { Reset } from './reset';

mount(<Reset />);
