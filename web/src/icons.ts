// Icons as path data on a 24 × 24 grid, drawn for this page.
export const play = 'M8 5.2v13.6c0 .8.9 1.3 1.6.9l10.4-6.8c.6-.4.6-1.4 0-1.8L9.6 4.3C8.9 3.9 8 4.4 8 5.2z';
export const pause = 'M7 5h3.2v14H7zM13.8 5H17v14h-3.2z';
export const replay = 'M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4v4.2h4.2';
export const volume = 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11';
export const muted = 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5';
export const captions = 'M5 5.5h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM10.5 10.6a2.1 2.1 0 1 0 0 2.8M17 10.6a2.1 2.1 0 1 0 0 2.8';
export const settings = 'M4 7h8.7M17.3 7H20M4 17h2.7M11.3 17H20M15 4.7a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6zM9 14.7a2.3 2.3 0 1 1 0 4.6 2.3 2.3 0 0 1 0-4.6z';
export const pip = 'M5 5h14a2 2 0 0 1 2 2v4M10 19H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2M13.5 13.5H21V19h-7.5z';
export const enterFull = 'M4 9V5.5A1.5 1.5 0 0 1 5.5 4H9M15 4h3.5A1.5 1.5 0 0 1 20 5.5V9M20 15v3.5a1.5 1.5 0 0 1-1.5 1.5H15M9 20H5.5A1.5 1.5 0 0 1 4 18.5V15';
export const leaveFull = 'M9 4v3.5A1.5 1.5 0 0 1 7.5 9H4M20 9h-3.5A1.5 1.5 0 0 1 15 7.5V4M15 20v-3.5a1.5 1.5 0 0 1 1.5-1.5H20M4 15h3.5A1.5 1.5 0 0 1 9 16.5V20';
export const search = 'M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM15 15l5 5';
export const back = 'M14.5 5.5 8 12l6.5 6.5';
export const forward = 'M9.5 5.5 16 12l-6.5 6.5';
export const copy = 'M9 9h9.5A1.5 1.5 0 0 1 20 10.5V19a1.5 1.5 0 0 1-1.5 1.5H10A1.5 1.5 0 0 1 8.5 19zM15.5 9V5.5A1.5 1.5 0 0 0 14 4H5.5A1.5 1.5 0 0 0 4 5.5V14A1.5 1.5 0 0 0 5.5 15.5H8.5';
export const check = 'M5 12.5l4.5 4.5L19 7.5';
export const code = 'M8.5 7 3.5 12l5 5M15.5 7l5 5-5 5';
