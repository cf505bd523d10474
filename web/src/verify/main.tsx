import { mount } from '../page';
import { Verify } from './verify';

mount(<Verify />);
