declare module "topojson-client";
