export { boot as compare } from './boot.js';
